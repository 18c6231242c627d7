"""Hosts as users write them: storage servers and their fencing, application servers, witness."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainValidator,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError

from sanglier.spec import patterns
from sanglier.spec.part import Part, form

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


class Fence(BaseModel):
    """How the other storage server switches this one off, and knows that it is off.

    The password is in the secrets file: `fence: {disk-a: 'PASSWORD'}` for the first level of
    disk-a, `disk-a/2` for the second, `disk-a/1/2` for the second device of the first level.
    """

    model_config = ConfigDict(extra="allow", strict=True)
    __pydantic_extra__: dict[str, Parameter]

    agent: str = Field(
        description="Name of the fence agent. The keys beside it are its parameters, single "
        "values without passwords, such as `ip`, `username` and `plug`; its man page lists "
        "them (`--ssh-options` is `ssh_options` here). They single out this one server.",
        examples=["fence_ipmilan"],
        json_schema_extra=form(patterns.AGENT),
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
        one = schema["items"]
        return {"anyOf": [*one.get("anyOf", [one])[:1], schema]}


def _listed(value: object) -> object:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _level(value: object) -> object:
    return value if isinstance(value, list) else [value]


FenceLevel = Annotated[list[Fence], BeforeValidator(_level), _OneOrList()]
FenceLevels = Annotated[list[FenceLevel], BeforeValidator(_listed), _OneOrList()]


class Storage(Part):
    """A storage server: one half of every mirror, and a target in every storage network."""

    ssh: str = Field(
        description=_SSH, examples=["root@10.77.0.11"], json_schema_extra=form(patterns.SSH)
    )
    hostname: str | None = Field(
        None,
        description=_HOSTNAME,
        examples=["disk-a"],
        json_schema_extra=form(patterns.HOSTNAME, "the name of the server"),
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
        "list of at most nine levels that are tried in their order. A level is a mapping, or a "
        "list of mappings that must all succeed: the switches of a server with two power "
        "supplies, `[[{…}, {…}]]`. Needed with `access: guarded`.",
        examples=[{"agent": "fence_ipmilan", "ip": "10.77.0.111", "username": "sanglier"}],
        json_schema_extra={"x-default": "none: needed with `access: guarded`"},
    )


class Application(Part):
    """An application server: mounts every volume."""

    ssh: str = Field(
        description=_SSH, examples=["root@10.77.0.21"], json_schema_extra=form(patterns.SSH)
    )
    hostname: str | None = Field(
        None,
        description=_HOSTNAME,
        examples=["srv-a"],
        json_schema_extra=form(patterns.HOSTNAME, "the name of the server"),
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
        description="The o2cb node number. A number in force stays with its server, whatever the "
        "order of the file; one that contradicts it is refused.",
        examples=[0],
        ge=0,
        le=254,
        json_schema_extra={"x-default": "the one in force; else the position in the file, if free"},
    )


class Witness(Part):
    """The third host, which decides between the storage servers.  Give `ssh` or `on`."""

    ssh: str | None = Field(
        None,
        description=_SSH,
        examples=["root@10.77.0.31"],
        json_schema_extra=form(patterns.SSH, "none: then `on` is needed"),
    )
    hostname: str | None = Field(
        None,
        description=_HOSTNAME,
        examples=["witness"],
        json_schema_extra=form(patterns.HOSTNAME, "`witness`"),
    )
    on: str | None = Field(
        None,
        description="The application server that is the witness too, instead of a host of its own.",
        examples=["srv-a"],
        json_schema_extra=form(patterns.HOST, "none: then `ssh` is needed"),
    )
    address: str | None = Field(
        None,
        description="The IP address at which the storage servers reach the arbitration service "
        "(corosync-qnetd, TCP port 5403). Needed with `ssh` and `access: guarded`.",
        examples=["10.77.0.31"],
        json_schema_extra={"x-default": "with `on`: that server's first `san` address"},
    )
