"""What a power switch does and says; the protocol itself is proved by tests/lab/test_lab_power."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from sanglier.core.errors import SanglierError
from sanglier.drill.power import Manner as DrillManner
from sanglier.lab import lock, manner, power, topology
from sanglier.lab.bmc import BUSY, NOT_NOW, OK, UNKNOWN, Switch, VirtualBmc, begins_session
from sanglier.lab.driver import Driver, Sighting, State
from sanglier.lab.manner import Manner, Mannered
from sanglier.lab.place import Place
from sanglier.lab.power import Action
from sanglier.lab.topology import LabHost

HOST = replace(topology.build("lab", 0).host("disk-a"), bmc="127.0.0.1")


@dataclass
class Machine:
    """A back end of one host that can only be switched."""

    state: State = State.RUNNING
    immortal: bool = False
    done: list[str] = field(default_factory=list)

    def sight(self, _host: LabHost) -> Sighting:
        return Sighting(state=self.state)

    def alive(self, host: LabHost) -> bool:
        return self.sight(host).state is not State.DEAD

    def kill(self, _host: LabHost) -> None:
        self.done.append("kill")
        self.state = self.state if self.immortal else State.DEAD

    def start(self, _host: LabHost) -> None:
        self.done.append("start")
        self.state = State.RUNNING


def switch(directory: Path, machine: Machine) -> Switch:
    where = Place(name="lab", state=directory, data=directory)
    return Switch(place=where, driver=cast(Driver, machine), host=HOST)


@pytest.mark.parametrize("state", [State.RUNNING, State.FROZEN])
@pytest.mark.parametrize(
    ("action", "done"),
    [
        (Action.OFF, ["kill"]),
        (Action.CYCLE, ["kill", "start"]),
        (Action.RESET, ["kill", "start"]),
        (Action.ON, ["start"]),
    ],
)
def test_an_order_is_carried_out_before_it_is_answered(
    tmp_path: Path, state: State, action: Action, done: list[str]
) -> None:
    machine = Machine(state=state)
    there = switch(tmp_path, machine)
    assert there.is_on()
    assert there.obey(action, "10.77.0.12") == OK
    assert machine.done == done
    assert there.is_on() == (action is not Action.OFF)
    (event,) = power.read(there.place.power_log)
    assert (event.host, event.action, event.requester) == ("disk-a", action, "10.77.0.12")
    assert event.done


@pytest.mark.parametrize("action", [Action.CYCLE, Action.RESET])
def test_a_host_that_is_off_cannot_be_cycled(tmp_path: Path, action: Action) -> None:
    machine = Machine(state=State.DEAD)
    assert switch(tmp_path, machine).obey(action, "10.77.0.12") == NOT_NOW
    assert machine.done == []


def test_a_busy_host_is_neither_killed_nor_said_to_be_off(tmp_path: Path) -> None:
    machine = Machine(state=State.DEAD)
    there = switch(tmp_path, machine)
    with lock.whole(there.place.host_lock("disk-a"), "lab start"):
        assert there.obey(Action.OFF, "10.77.0.12") == BUSY
        with pytest.raises(SanglierError, match="SG-LAB-005"):
            there.is_on()
    assert machine.done == []
    assert [event.done for event in power.read(there.place.power_log)] == [False]


def test_a_host_that_survives_is_not_said_to_be_dead(tmp_path: Path) -> None:
    there = switch(tmp_path, Machine(immortal=True))
    assert there.obey(Action.OFF, "10.77.0.12") == BUSY
    assert there.is_on()


@dataclass
class Asked:
    """As much of pyghmi's session as an order needs."""

    seqlun: int
    managedsessionid: bytes = b"\1\2\3\4"
    sockaddr: tuple[str, int] = ("10.77.0.12", 4711)
    codes: list[int] = field(default_factory=list)

    def send_ipmi_response(self, data: tuple[int, ...] = (), code: int = 0) -> None:
        self.codes.append(code)


def order(bmc: VirtualBmc, asked: Asked, directive: int) -> list[int]:
    bmc.control_chassis({"data": bytes([directive])}, cast(Any, asked))
    return asked.codes


def test_an_order_that_is_repeated_is_carried_out_once_and_answered_twice(tmp_path: Path) -> None:
    machine = Machine()
    bmc = VirtualBmc(Mannered(switch=switch(tmp_path, machine)), "password", port=0)
    first = Asked(seqlun=3)
    order(bmc, first, 2)
    assert order(bmc, first, 2) == [OK, OK]
    assert machine.done == ["kill", "start"]
    assert order(bmc, Asked(seqlun=4), 0) == [OK]
    assert order(bmc, Asked(seqlun=5), 0x0F) == [UNKNOWN]
    assert machine.done == ["kill", "start", "kill"]


def test_packets_that_begin_a_session_are_told_from_those_of_one() -> None:
    """The first bytes of packets that ipmitool 1.8.19 sent."""
    head = "0600ff0706"
    assert begins_session(bytes.fromhex(f"{head}10000000000000000020"))
    assert not begins_session(bytes.fromhex(f"{head}12000000000000000024"))
    assert not begins_session(bytes.fromhex(f"{head}c0fecbadd10300000020"))
    assert not begins_session(bytes.fromhex("0600ff07000000000000000000092018c8"))


# Manners.


@dataclass
class Later:
    """What was put off, with its seconds."""

    deeds: list[tuple[float, Callable[[], object]]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def later(self, seconds: float, deed: Callable[[], object]) -> None:
        self.deeds.append((seconds, deed))


def mannered(
    directory: Path, machine: Machine, how: Manner = Manner.HONEST
) -> tuple[Mannered, Later]:
    there, later = switch(directory, machine), Later()
    manner.write(there.place, HOST.name, how)
    return Mannered(switch=there, later=later.later, sleep=later.slept.append), later


def test_a_switch_is_honest_until_it_is_told_otherwise(tmp_path: Path) -> None:
    machine = Machine()
    there = Mannered(switch=switch(tmp_path, machine))
    assert there.manner is Manner.HONEST
    assert there.obey(Action.OFF, "10.77.0.12") == OK
    assert machine.done == ["kill"]
    assert not there.is_on()


def test_a_slow_one_answers_at_once_says_on_and_acts_later(tmp_path: Path) -> None:
    machine = Machine()
    there, later = mannered(tmp_path, machine, Manner.SLOW)
    assert there.obey(Action.OFF, "10.77.0.12") == OK
    assert there.is_on()
    assert machine.done == []
    ((seconds, deed),) = later.deeds
    assert seconds == manner.SLOW_S
    deed()
    assert not there.is_on()
    assert [event.done for event in power.read(there.switch.place.power_log)] == [True]


def test_one_that_is_honest_again_does_first_what_it_owes(tmp_path: Path) -> None:
    """A drill's seed 3001: an "off" that came after the "on" left a server without power."""
    machine = Machine()
    there, later = mannered(tmp_path, machine, Manner.SLOW)
    now = [100.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds
        for _, deed in later.deeds:
            deed()

    there.clock, there.sleep = (lambda: now[0]), sleep
    there.obey(Action.OFF, "10.77.0.12")
    manner.write(there.switch.place, HOST.name, Manner.HONEST)
    now[0] += 2.0
    assert there.obey(Action.ON, "10.77.0.12") == OK
    assert now == [100.0 + manner.SLOW_S]
    assert there.is_on()
    assert machine.done[0] == "kill"


def test_a_late_one_acts_at_once_and_waits_once_for_each_question(tmp_path: Path) -> None:
    machine = Machine()
    there, later = mannered(tmp_path, machine, Manner.LATE)
    bmc = VirtualBmc(there, "password", port=0)
    first = Asked(seqlun=3)
    order(bmc, first, 0)
    order(bmc, first, 0)
    assert machine.done == ["kill"]
    assert later.slept == [manner.LATE_S]
    bmc.get_chassis_status(cast(Any, Asked(seqlun=4)))
    assert later.slept == [manner.LATE_S] * 2


def test_a_liar_does_nothing_says_that_it_did_and_the_log_knows(tmp_path: Path) -> None:
    machine = Machine()
    there, _ = mannered(tmp_path, machine, Manner.LIES)
    assert there.is_on()
    assert there.obey(Action.OFF, "10.77.0.12") == OK
    assert not there.is_on()
    assert there.obey(Action.ON, "10.77.0.12") == OK
    assert there.is_on()
    assert machine.done == []
    assert {event.done for event in power.read(there.switch.place.power_log)} == {False}
    there.obey(Action.OFF, "10.77.0.12")
    manner.write(there.switch.place, HOST.name, Manner.HONEST)
    assert there.is_on()


def test_drills_and_the_lab_know_the_same_manners() -> None:
    assert {one.value for one in Manner} == {one.value for one in DrillManner}
