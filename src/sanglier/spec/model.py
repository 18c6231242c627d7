"""The file as users write it: shape, types and meaning of every key.

Only shape and type are checked here and in :mod:`sanglier.spec.hosts`; what a value must look
like is said in :mod:`sanglier.spec.rules`, with better words than a pattern, and given to editors
as ``pattern`` in the JSON schema.  ``x-default`` describes a computed default.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, GetJsonSchemaHandler, Tag
from pydantic_core import CoreSchema

from sanglier.spec import patterns, seconds, sizes
from sanglier.spec.defaults import IQN_PREFIX
from sanglier.spec.hosts import Application, Storage, Witness
from sanglier.spec.part import Part, form, named


class Volume(Part):
    """A volume: one mirrored device, one LUN, one filesystem on all application servers."""

    on: dict[str, str] = Field(
        description="The backing device on each of the two storage servers. It must be empty "
        "at the first `apply`. A path under /dev/disk/by-id, or a logical volume, does not "
        "change when disks are added.",
        examples=[{"disk-a": "/dev/vg0/data", "disk-b": "/dev/vg0/data"}],
        json_schema_extra={
            **named(patterns.HOST, minProperties=2, maxProperties=2),
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
        json_schema_extra=form(patterns.HOST, "the first storage server, by the places in force"),
    )
    filesystem: Literal["ocfs2"] = Field(
        "ocfs2", description="The filesystem; OCFS2 is the only one so far.", examples=["ocfs2"]
    )
    label: str | None = Field(
        None,
        description="Label of the filesystem, at most 63 characters.",
        examples=["DATA"],
        json_schema_extra={
            **form(patterns.LABEL, "the name of the volume in capitals"),
            "maxLength": 63,
        },
    )
    mount: str = Field(
        description="Where the application servers mount the filesystem.",
        examples=["/data"],
        json_schema_extra=form(patterns.MOUNT),
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
        json_schema_extra={"x-default": "the one in force; else the position in the file, if free"},
    )
    port: int | None = Field(
        None,
        description="TCP port of the volume's replication.",
        examples=[7789],
        ge=1024,
        le=65535,
        json_schema_extra={"x-default": "the one in force; else 7789 + the position, if free"},
    )
    serial: str | None = Field(
        None,
        description="Serial number of the LUN, 32 hexadecimal digits, equal on both targets. "
        "The application servers know the disk by its first 25.",
        examples=["7c1f3b52a9d04e618f20c3b7d5e4a916"],
        json_schema_extra=form(patterns.SERIAL, "derived from the names of cluster and volume"),
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
        description="The longest that a fence device takes until a server is off and on again. "
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
        json_schema_extra=form(patterns.CLUSTER),
    )
    iqn: str = Field(
        IQN_PREFIX,
        description="First part of all iSCSI names: `iqn.`, a year and month in which the "
        "domain was yours, and the domain backwards.",
        examples=["iqn.2009-02.fr.guiguiabloc"],
        json_schema_extra={**form(patterns.IQN), "maxLength": 120},
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
        json_schema_extra=named(patterns.HOST, minProperties=2, maxProperties=2),
    )
    applications: dict[str, Application] = Field(
        description="The application servers by name.",
        json_schema_extra=named(patterns.HOST, minProperties=1, maxProperties=255),
    )
    witness: Witness | None = Field(
        None, description="The third host, which decides between the storage servers."
    )
    volumes: dict[str, Volume] = Field(
        description="The volumes by name.",
        json_schema_extra=named(patterns.VOLUME, minProperties=1),
    )


def json_schema() -> dict[str, Any]:
    """Give the JSON schema of the file, for editors."""
    schema = File.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Sanglier cluster file",
    }
