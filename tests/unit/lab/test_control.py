"""What a lab does to a host that cannot take the order."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from sanglier.core.errors import SanglierError
from sanglier.lab import topology
from sanglier.lab.control import Lab
from sanglier.lab.driver import Driver, Sighting, State
from sanglier.lab.place import Place
from sanglier.lab.recipe import Kind
from sanglier.lab.record import Record
from sanglier.lab.topology import LabHost


@dataclass
class Machine:
    """A back end whose hosts are all in one state; each order that reaches it is a failure."""

    state: State

    def sight(self, _host: LabHost) -> Sighting:
        return Sighting(state=self.state)


class Attachable(Machine):
    """One that takes disks."""

    def attach_disk(self, _host: LabHost, _device: str, _file: Path) -> None:
        return


def lab(directory: Path, machine: Machine) -> Lab:
    return Lab(
        place=Place(name="lab", state=directory, data=directory),
        record=Record(image="i", kind=Kind.FULL, applications=0, disk_bytes=1),
        topology=topology.build("lab", 0),
        driver=cast(Driver, machine),
    )


Verb = Callable[[Lab], None]
ORDERS: dict[str, Verb] = {
    "pause": lambda there: there.pause("disk-a"),
    "resume": lambda there: there.resume("disk-a"),
}
DISKS: dict[str, Verb] = {
    "attach": lambda there: there.attach_disk("disk-a", "ubdd", 1),
    "detach": lambda there: there.detach_disk("disk-a", "ubdd"),
}


@pytest.mark.parametrize("verb", ORDERS | DISKS)
def test_a_frozen_host_takes_no_order_and_the_message_says_thaw(tmp_path: Path, verb: str) -> None:
    with pytest.raises(SanglierError, match="SG-LAB-022") as refused:
        (ORDERS | DISKS)[verb](lab(tmp_path, Machine(State.FROZEN)))
    assert refused.value.fix == "`lab thaw disk-a`"


@pytest.mark.parametrize("verb", DISKS)
def test_a_paused_host_would_not_see_a_disk_and_the_message_says_resume(
    tmp_path: Path, verb: str
) -> None:
    with pytest.raises(SanglierError, match="SG-LAB-022") as refused:
        DISKS[verb](lab(tmp_path, Machine(State.PAUSED)))
    assert refused.value.fix == "`lab resume disk-a`"


def test_a_host_that_hangs_while_a_disk_is_looked_for_does_not_see_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(*words: object, **_options: object) -> None:
        raise subprocess.TimeoutExpired("ssh", 1)

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(SanglierError, match="SG-LAB-040"):
        lab(tmp_path, Attachable(State.RUNNING)).attach_disk("disk-a", "ubdd", 1)
