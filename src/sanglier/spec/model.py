"""The file as users write it: shape, types and meaning of every key.

Only shape and type are checked here; what a value must look like is said in
:mod:`sanglier.spec.rules`, with better words than a pattern, and given to editors
as ``pattern`` in the JSON schema.  ``x-default`` describes a computed default.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    PlainValidator,
    Tag,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError

from sanglier.spec import patterns, seconds, sizes
from sanglier.spec.defaults import IQN_PREFIX

Scalar = str | int | float | bool


def _scalar(value: object) -> Scalar:
    if isinstance(value, str | int | float | bool):
        return value
    raise PydanticCustomError("scalar", "expected a single value")


Parameter = Annotated[
    Scalar,
    PlainValidator(_scalar),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]


def _form(pattern: str, default: str = "") -> dict[str, Any]:
    extra: dict[str, Any] = {"pattern": patterns.anchored(pattern)}
    return {**extra, "x-default": default} if default else extra


def _named(pattern: str, **limits: int) -> dict[str, Any]:
    return {"propertyNames": {"pattern": patterns.anchored(pattern)}, **limits}


_SSH = (
    "How ssh(1) reaches the server: an alias of your ssh_config, user@host, or "
    "ssh://user@host:port. The user is root or may use sudo without a password."
)
_HOSTNAME = (
    "What `uname -n` prints on the server. DRBD and o2cb find their own section of the "
    "configuration by it."
)
_SAN = (
    "The server's addresses in the storage networks, one for each network, in the same "
    "order on every server. Two networks on separate switches are expected."
)


class Part(BaseModel):
    """What all parts of the file have in common: no unknown keys, no conversions."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Fence(BaseModel):
    """How the other storage server switches this one off, and knows that it is off.

    The password is in the secrets file: `fence: {disk-a: 'PASSWORD'}` for the first level of
    disk-a, `disk-a/2` for the second.
    """

    model_config = ConfigDict(extra="allow", strict=True)
    __pydantic_extra__: dict[str, Parameter]

    agent: str = Field(
        description="Name of the fence agent. The keys beside it are its parameters, single "
        "values without passwords, such as `ip`, `username` and `plug`; its man page lists "
        "them (`--ssh-options` is `ssh_options` here). They single out this one server.",
        examples=["fence_ipmilan"],
        json_schema_extra=_form(patterns.AGENT),
    )
    no_password: bool = Field(
        False,
        description="The agent needs no password, because a parameter such as `identity_file` "
        "stands for it. Then none is asked for in the secrets file.",
        examples=[True],
    )


class _OneOrList:
    """Lets a list of one be written without its brackets, for pydantic and for editors."""

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        schema = handler(core)
        return {"anyOf": [schema["items"], schema]}


def _listed(value: object) -> object:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


FenceLevels = Annotated[list[Fence], BeforeValidator(_listed), _OneOrList()]


class Storage(Part):
    """A storage server: one half of every mirror, and a target in every storage network."""

    ssh: str = Field(
        description=_SSH, examples=["root@10.77.0.11"], json_schema_extra=_form(patterns.SSH)
    )
    hostname: str | None = Field(
        None,
        description=_HOSTNAME,
        examples=["disk-a"],
        json_schema_extra=_form(patterns.HOSTNAME, "the name of the server"),
    )
    replication: str = Field(
        description="The server's address in the replication network, which DRBD uses. It is "
        "used for nothing else.",
        examples=["10.77.1.11"],
    )
    san: list[str] = Field(description=_SAN, examples=[["10.77.2.11", "10.77.3.11"]], min_length=1)
    management: str | None = Field(
        None,
        description="The server's address in the management network: the second link between the "
        "storage servers, and their way to the witness. Needed with `access: guarded`.",
        examples=["10.77.0.11"],
        json_schema_extra={"x-default": "none: needed with `access: guarded`"},
    )
    fence: FenceLevels = Field(
        default_factory=list,
        description="How to switch this server off when it no longer answers. One mapping, or a "
        "list of at most nine that are tried in their order. Needed with `access: guarded`.",
        examples=[{"agent": "fence_ipmilan", "ip": "10.77.0.111", "username": "sanglier"}],
        json_schema_extra={"x-default": "none: needed with `access: guarded`"},
    )


class Application(Part):
    """An application server: mounts every volume."""

    ssh: str = Field(
        description=_SSH, examples=["root@10.77.0.21"], json_schema_extra=_form(patterns.SSH)
    )
    hostname: str | None = Field(
        None,
        description=_HOSTNAME,
        examples=["srv-a"],
        json_schema_extra=_form(patterns.HOSTNAME, "the name of the server"),
    )
    san: list[str] = Field(description=_SAN, examples=[["10.77.2.21", "10.77.3.21"]], min_length=1)
    interconnect: str | None = Field(
        None,
        description="The IPv4 address by which the application servers talk to each other "
        "about locks (o2cb, TCP port 7777).",
        examples=["10.77.2.21"],
        json_schema_extra={"x-default": "the first address of `san`"},
    )
    node: int | None = Field(
        None,
        description="The o2cb node number. Write it down before you remove or reorder servers, "
        "so that the others keep theirs.",
        examples=[0],
        ge=0,
        le=254,
        json_schema_extra={"x-default": "the position in the file, from 0"},
    )


class Witness(Part):
    """The third host, which decides between the storage servers.  Give `ssh` or `on`."""

    ssh: str | None = Field(
        None,
        description=_SSH,
        examples=["root@10.77.0.31"],
        json_schema_extra=_form(patterns.SSH, "none: then `on` is needed"),
    )
    hostname: str | None = Field(
        None,
        description=_HOSTNAME,
        examples=["witness"],
        json_schema_extra=_form(patterns.HOSTNAME, "`witness`"),
    )
    on: str | None = Field(
        None,
        description="The application server that is the witness too, instead of a host of its own.",
        examples=["srv-a"],
        json_schema_extra=_form(patterns.HOST, "none: then `ssh` is needed"),
    )
    address: str | None = Field(
        None,
        description="The IP address at which the storage servers reach the arbitration service "
        "(corosync-qnetd, TCP port 5403). Needed with `ssh` and `access: guarded`.",
        examples=["10.77.0.31"],
        json_schema_extra={"x-default": "with `on`: that server's first `san` address"},
    )


class Volume(Part):
    """A volume: one mirrored device, one LUN, one filesystem on all application servers."""

    on: dict[str, str] = Field(
        description="The backing device on each of the two storage servers. It must be empty "
        "at the first `apply`. A path under /dev/disk/by-id, or a logical volume, does not "
        "change when disks are added.",
        examples=[{"disk-a": "/dev/vg0/data", "disk-b": "/dev/vg0/data"}],
        json_schema_extra={
            **_named(patterns.HOST, minProperties=2, maxProperties=2),
            "additionalProperties": {
                "type": "string",
                "pattern": patterns.anchored(patterns.DEVICE),
            },
        },
    )
    prefer: str | None = Field(
        None,
        description="The storage server through which the volume is normally reached.",
        examples=["disk-a"],
        json_schema_extra=_form(patterns.HOST, "the first storage server"),
    )
    filesystem: Literal["ocfs2"] = Field(
        "ocfs2", description="The filesystem; OCFS2 is the only one so far.", examples=["ocfs2"]
    )
    label: str | None = Field(
        None,
        description="Label of the filesystem, at most 63 characters.",
        examples=["DATA"],
        json_schema_extra={
            **_form(patterns.LABEL, "the name of the volume in capitals"),
            "maxLength": 63,
        },
    )
    mount: str = Field(
        description="Where the application servers mount the filesystem.",
        examples=["/data"],
        json_schema_extra=_form(patterns.MOUNT),
    )
    workload: Literal["small-files", "mail", "vm-images", "database", "general"] = Field(
        "general",
        alias="for",
        description="What the filesystem is for. It decides cluster size, journal and mount "
        "options at the first `apply`.",
        examples=["small-files"],
    )
    size: str | None = Field(
        None,
        description="The least size that both backing devices must have. GiB and G are powers "
        "of 1024, GB of 1000.",
        examples=["10GiB"],
        json_schema_extra={"pattern": sizes.PATTERN, "x-default": "any size"},
    )
    slots: int | None = Field(
        None,
        description="Node slots of the filesystem: how many servers can mount it at once. To "
        "add slots later, every server must unmount it.",
        examples=[8],
        ge=1,
        le=255,
        json_schema_extra={"x-default": "application servers + 2, at least 4"},
    )
    minor: int | None = Field(
        None,
        description="DRBD minor number: the mirrored device is /dev/drbdMINOR.",
        examples=[0],
        ge=0,
        le=1048575,
        json_schema_extra={"x-default": "the position in the file, from 0"},
    )
    port: int | None = Field(
        None,
        description="TCP port of the volume's replication.",
        examples=[7789],
        ge=1024,
        le=65535,
        json_schema_extra={"x-default": "7789 + the position in the file"},
    )
    serial: str | None = Field(
        None,
        description="Serial number of the LUN, 32 hexadecimal digits, equal on both targets. "
        "The application servers know the disk by its first 25.",
        examples=["7c1f3b52a9d04e618f20c3b7d5e4a916"],
        json_schema_extra=_form(patterns.SERIAL, "derived from the names of cluster and volume"),
    )


class Wish(Part):
    """Timeouts solved from the longest stall that you accept, instead of a named set.

    The stall is that of the open storage server's death, from 8 to 60 seconds. A wish that
    cannot be kept is refused with the inequality that fails.
    """

    stall: str = Field(
        description="Longest stall when the open storage server dies, whole seconds.",
        examples=["20s"],
        json_schema_extra={"pattern": seconds.PATTERN},
    )
    fence: str | None = Field(
        None,
        description="The longest that the fence devices take until a server is confirmed off. "
        "Measure it; a server management controller takes 3 to 20 seconds.",
        examples=["8s"],
        json_schema_extra={
            "pattern": seconds.PATTERN,
            "x-default": "(stall - 4 s) / 2, at most 20 s",
        },
    )


class _AnyOf:
    """Says ``anyOf`` to editors, which is all that they need to know."""

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": handler(core)["oneOf"]}


def _kind_of_timings(value: object) -> str:
    return WISH if isinstance(value, dict | Wish) else NAME


NAME, WISH = "name", "wish"
"""Tags that pydantic puts into the place of a mistake; the file does not have them."""
NameOrWish = Annotated[
    Annotated[Literal["safe", "fast"], Tag(NAME)] | Annotated[Wish, Tag(WISH)],
    Discriminator(_kind_of_timings),
    _AnyOf(),
]


class File(Part):
    """A cluster file of Sanglier, YAML 1.2."""

    cluster: str = Field(
        description="Name of the cluster, at most 16 lower-case letters and digits. OCFS2 "
        "stores it in every filesystem.",
        examples=["guiguiabloc"],
        json_schema_extra=_form(patterns.CLUSTER),
    )
    iqn: str = Field(
        IQN_PREFIX,
        description="First part of all iSCSI names: `iqn.`, a year and month in which the "
        "domain was yours, and the domain backwards.",
        examples=["iqn.2009-02.fr.guiguiabloc"],
        json_schema_extra={**_form(patterns.IQN), "maxLength": 120},
    )
    access: Literal["guarded", "article"] = Field(
        "guarded",
        description="How volumes are reached; for the whole cluster, because fencing and "
        "arbitration concern hosts and not volumes. `guarded`: every application server logs in "
        "to both targets, one is open and the other in standby, and a lost storage server is "
        "switched off before the other opens; needs `fence`, `management` and `witness`. "
        "`article`: both targets open, one path each, no fencing, no failover; for teaching and "
        "drills, it loses data when the mirror is cut.",
        examples=["guarded"],
    )
    timings: NameOrWish = Field(
        "safe",
        description="The set of timeouts: one of the named ones, or solved from a wish. `fast` is "
        "for dedicated redundant links on which the fencing was measured to kill within 8 "
        "seconds. `sanglier timings` shows the set and what it comes to.",
        examples=["safe"],
    )
    secrets: str | None = Field(
        None,
        description="Path of the secrets file (mode 0600), relative to this file.",
        examples=["lab.secrets"],
        json_schema_extra={"x-default": "beside this file, ending in `.secrets`"},
    )
    storage: dict[str, Storage] = Field(
        description="The two storage servers by name.",
        json_schema_extra=_named(patterns.HOST, minProperties=2, maxProperties=2),
    )
    applications: dict[str, Application] = Field(
        description="The application servers by name.",
        json_schema_extra=_named(patterns.HOST, minProperties=1, maxProperties=255),
    )
    witness: Witness | None = Field(
        None, description="The third host, which decides between the storage servers."
    )
    volumes: dict[str, Volume] = Field(
        description="The volumes by name.",
        json_schema_extra=_named(patterns.VOLUME, minProperties=1),
    )


def json_schema() -> dict[str, Any]:
    """Give the JSON schema of the file, for editors."""
    schema = File.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Sanglier cluster file",
    }
