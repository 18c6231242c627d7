"""What a lab was asked to be: written before anything is made, read by every later verb."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace

from sanglier.lab.backend import DEFAULT
from sanglier.lab.errors import refuse
from sanglier.lab.identity import write_atomically
from sanglier.lab.place import Place
from sanglier.lab.recipe import RELEASE, SUITES, Kind

DEFAULT_APPLICATIONS = 2
DEFAULT_DISK_BYTES = 1 << 30
UNITS = {"M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
SIZE = re.compile(r"([1-9][0-9]{0,5})([MGT])(?:iB)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the caller of ``up`` says; None is "as it is", or the default for a new lab."""

    applications: int | None = None
    kind: Kind | None = None
    disk_bytes: int | None = None
    disks: int | None = None
    volatile: bool | None = None
    release: str | None = None
    """Of Debian, such as 12."""
    driver: str | None = None
    """Name of the back end."""
    only: tuple[str, ...] | None = None
    """Boot these hosts only; () is all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a lab is."""

    image: str
    """Key of its image."""
    kind: Kind
    applications: int
    disk_bytes: int
    only: tuple[str, ...] = ()
    disks: int = 1
    """Data disks of each storage server."""
    volatile: bool = False
    """Whether they lose what was not flushed when their host loses its power."""
    release: str = "12"
    """Of Debian; records of labs that know none are of 12."""
    driver: str = DEFAULT
    """Name of the back end; labs whose records know none are of the first one."""

    def wants(self, host: str) -> bool:
        """Whether ``up`` boots that host."""
        return not self.only or host in self.only


def parse_size(text: str) -> int:
    """Read a size such as 512M or 1G, in binary units; SG-LAB-004 otherwise."""
    found = SIZE.fullmatch(text)
    if found is None:
        raise refuse(4, "lab", f"{text!r} is not a size of a disk", fix="such as 512M or 2G")
    return int(found[1]) * UNITS[found[2]]


def parse_release(text: str) -> str:
    """Check the release of Debian that hosts are to be of; SG-LAB-037 for an unknown one."""
    if text not in SUITES:
        raise refuse(
            37, "lab", f"{text!r} is no release of Debian that hosts can be of",
            fix=f"one of: {', '.join(SUITES)}",
        )  # fmt: skip
    return text


def first(wish: Wish, image: str) -> Record:
    """Make the record of a new lab."""
    return Record(
        image=image,
        kind=wish.kind or Kind.FULL,
        applications=DEFAULT_APPLICATIONS if wish.applications is None else wish.applications,
        disk_bytes=wish.disk_bytes or DEFAULT_DISK_BYTES,
        only=wish.only or (),
        disks=wish.disks or 1,
        volatile=bool(wish.volatile),
        release=wish.release or RELEASE,
        driver=wish.driver or DEFAULT,
    )


def again(lab: str, old: Record, wish: Wish) -> Record:
    """Fold a wish into a lab that exists: it may grow, nothing else (SG-LAB-006)."""
    applications = old.applications if wish.applications is None else wish.applications
    changes = (
        ("back end", old.driver, wish.driver or old.driver),
        ("image", old.kind, wish.kind or old.kind),
        ("release of Debian", old.release, wish.release or old.release),
        ("data disks", old.disk_bytes, wish.disk_bytes or old.disk_bytes),
        ("number of data disks", old.disks, wish.disks or old.disks),
        ("caches of its disks", old.volatile, wish.volatile or old.volatile),
        ("application servers", old.applications, min(applications, old.applications)),
    )
    for what, has, asked in changes:
        if has != asked:
            raise _different(lab, what, has, asked)
    only = old.only if wish.only is None else wish.only
    return replace(old, applications=applications, only=only)


def _different(lab: str, what: str, has: object, asked: object) -> Exception:
    return refuse(
        6, lab, f"exists with other {what}: {has}, not {asked}",
        fix=f"`lab down --name {lab}` first, or use another --name",
    )  # fmt: skip


def load(place: Place) -> Record | None:
    """Read the record, or None if there is no such lab."""
    try:
        found = json.loads(place.record.read_text())
    except FileNotFoundError:
        return None
    return Record(**(found | {"kind": Kind(found["kind"]), "only": tuple(found["only"])}))


def save(place: Place, record: Record) -> None:
    """Write the record in one step."""
    write_atomically(place.record, json.dumps(asdict(record)))
