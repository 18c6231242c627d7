"""The power switches, through the stock fence_ipmilan of another host, as Pacemaker calls it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from test_lab_life import traces

from sanglier.lab import control, daemon, life, power
from sanglier.lab.control import Lab
from sanglier.lab.driver import State
from sanglier.lab.manner import Manner
from sanglier.lab.power import Action, PowerEvent
from sanglier.lab.record import Wish

pytestmark = pytest.mark.lab

FENCER = "witness"
FENCER_ADDRESS = "10.77.0.31"
VICTIM = "srv-b"


def options(lab: Lab, action: str, *, victim: str = VICTIM, password: str = "") -> str:
    """What Pacemaker's fencer writes to the agent's standard input."""
    known = {
        "ip": lab.topology.host(victim).bmc,
        "username": power.USER,
        "password": password or power.password(lab.place),
        "lanplus": "1",
        "cipher": "3",
        "power_wait": "0",
        "action": action,
    }
    return "".join(f"{name}={value}\n" for name, value in known.items())


def fence(
    lab: Lab, action: str, *, fencer: str = FENCER, victim: str = VICTIM, password: str = ""
) -> subprocess.CompletedProcess[str]:
    text = options(lab, action, victim=victim, password=password)
    return lab.run(fencer, "fence_ipmilan", text=text)


def state(lab: Lab, name: str = VICTIM) -> State:
    return next(s.sighting.state for s in lab.status() if s.host.name == name)


def since(lab: Lab, events: int) -> tuple[PowerEvent, ...]:
    return control.power_events(lab)[events:]


@pytest.fixture
def known(lab: Lab) -> Iterator[int]:
    """Number of events so far; afterwards the victim runs again."""
    yield len(control.power_events(lab))
    lab.heal_bmc(VICTIM)
    if state(lab) is State.FROZEN:
        lab.thaw(VICTIM)
    lab.start(VICTIM)


def test_off_on_and_status(lab: Lab, known: int) -> None:
    assert "ON" in fence(lab, "status").stdout
    began = time.time()
    assert fence(lab, "off").returncode == 0
    assert state(lab) is State.DEAD
    assert "OFF" in fence(lab, "status").stdout
    assert fence(lab, "on").returncode == 0
    assert state(lab) is State.RUNNING
    off, on = since(lab, known)
    assert (off.host, off.action, off.requester) == (VICTIM, Action.OFF, FENCER_ADDRESS)
    assert (on.host, on.action) == (VICTIM, Action.ON)
    assert began <= off.at < on.at <= time.time()


def test_reboot_is_another_kernel(lab: Lab, known: int) -> None:
    boot = lab.run(VICTIM, "cat", "/proc/sys/kernel/random/boot_id").stdout
    assert fence(lab, "reboot").returncode == 0
    lab.wait(VICTIM)
    assert lab.run(VICTIM, "cat", "/proc/sys/kernel/random/boot_id").stdout != boot
    assert [event.action for event in since(lab, known)] == [Action.OFF, Action.ON]


def test_cycle_in_one_order(lab: Lab, known: int) -> None:
    leader = daemon.leader(lab.place, VICTIM)
    ipmitool = (
        "ipmitool", "-I", "lanplus", "-H", lab.topology.host(VICTIM).bmc, "-U", power.USER,
        "-P", power.password(lab.place), "chassis", "power", "cycle",
    )  # fmt: skip
    done = lab.run(FENCER, *ipmitool)
    assert done.returncode == 0, done.stderr
    assert daemon.leader(lab.place, VICTIM) not in (None, leader)
    assert [event.action for event in since(lab, known)] == [Action.CYCLE]


def test_a_frozen_host_counts_as_on_and_is_killed(lab: Lab, known: int) -> None:
    lab.freeze(VICTIM)
    assert "ON" in fence(lab, "status").stdout
    assert fence(lab, "off").returncode == 0
    assert state(lab) is State.DEAD
    assert [event.action for event in since(lab, known)] == [Action.OFF]


def test_a_wrong_password_is_refused(lab: Lab, known: int) -> None:
    assert fence(lab, "off", password="wrong").returncode != 0
    assert state(lab) is State.RUNNING
    assert since(lab, known) == ()


def test_a_cut_power_switch_does_not_answer_and_the_host_lives(lab: Lab, known: int) -> None:
    lab.cut_bmc(VICTIM)
    lab.cut_bmc(VICTIM)
    assert next(s.cut for s in lab.status() if s.host.name == VICTIM) == ("bmc",)
    assert fence(lab, "off").returncode != 0
    assert state(lab) is State.RUNNING
    lab.heal_bmc(VICTIM)
    assert "ON" in fence(lab, "status").stdout
    assert since(lab, known) == ()


def test_two_hosts_that_fence_each_other_at_once(small_lab: Callable[..., Lab]) -> None:
    """At least one dies, none of the orders that were confirmed is untrue, and both come back."""
    lab = small_lab("disk-a", "disk-b")
    pairs = (("disk-a", "disk-b"), ("disk-b", "disk-a"))
    argv = (lab.ssh_argv(fencer, ("fence_ipmilan",)) for fencer, _ in pairs)
    agents = [
        subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for words in argv
    ]
    for agent, (_, victim) in zip(agents, pairs, strict=True):
        assert agent.stdin is not None
        agent.stdin.write(options(lab, "off", victim=victim))
        agent.stdin.close()
    killed = {_killed(lab, agent, victim) for agent, (_, victim) in zip(agents, pairs, strict=True)}
    dead = {name for name, _ in pairs if state(lab, name) is State.DEAD}
    assert dead and killed - {""} <= dead
    assert {event.host for event in control.power_events(lab)} == dead
    for name, _ in pairs:
        lab.start(name)


def _killed(lab: Lab, agent: subprocess.Popen[str], victim: str) -> str:
    """Wait for an agent whose own host may have died; the victim's name if it says so."""
    for _ in range(300):
        if agent.poll() is not None or len(control.power_events(lab)) == 2:
            break
        time.sleep(0.1)
    agent.kill()
    return victim if agent.wait() == 0 else ""


def test_up_mends_the_daemon_and_down_leaves_nothing(small_lab: Callable[..., Lab]) -> None:
    lab = small_lab()
    leader = daemon.leader(lab.place, power.DAEMON)
    assert leader is not None
    os.kill(leader.pid, signal.SIGKILL)
    again = life.up(lab.place.name, Wish())
    assert "ON" in fence(again, "status", victim=FENCER).stdout
    assert life.down(lab.place.name)
    assert traces(lab.place) == []


def test_a_bmc_that_died_is_served_again(lab: Lab, known: int) -> None:
    found = daemon.session(lab.place, power.DAEMON)
    leader = daemon.leader(lab.place, power.DAEMON)
    for process in found:
        if process != leader:
            os.kill(process.pid, signal.SIGKILL)
    for _ in range(50):
        done = fence(lab, "status")
        if done.returncode == 0:
            break
    assert "ON" in done.stdout
    assert since(lab, known) == ()


def test_the_status_and_the_secrets_name_the_switch(lab: Lab) -> None:
    hosts = {host.name: host.bmc for host in lab.topology.hosts}
    sanglier = (sys.executable, "-m", "sanglier.cli.main")
    argv = (*sanglier, "lab", "status", "--json", "--name", lab.place.name)
    shown = json.loads(subprocess.run(argv, capture_output=True, check=True).stdout)
    assert {host["name"]: host["bmc"] for host in shown["hosts"]} == hosts
    assert power.password(lab.place) in lab.place.secrets.read_text()


@pytest.mark.parametrize("name", ["disk-a", "disk-b"])
def test_the_data_disk_is_a_mapped_device(lab: Lab, name: str) -> None:
    shown = lab.run(name, "dmsetup", "table", "disk").stdout
    assert shown.split()[2] == "linear"
    size = "test $(blockdev --getsz /dev/mapper/disk) = $(blockdev --getsz /dev/ubdb)"
    assert lab.run(name, "sh", "-c", f"{size} && test -L /dev/mapper/disk").returncode == 0


@pytest.mark.parametrize("how", [Manner.SLOW, Manner.LATE])
def test_a_switch_that_takes_its_time_still_satisfies_the_stock_agent(
    lab: Lab, known: int, how: Manner
) -> None:
    lab.behave(VICTIM, how)
    try:
        done = fence(lab, "off")
        assert done.returncode == 0, done.stdout + done.stderr
        assert state(lab) is State.DEAD
    finally:
        lab.behave(VICTIM, Manner.HONEST)
    assert [event.action for event in since(lab, known)] == [Action.OFF]


def test_a_liar_satisfies_the_stock_agent_and_its_victim_lives(lab: Lab, known: int) -> None:
    lab.behave(VICTIM, Manner.LIES)
    try:
        assert fence(lab, "off").returncode == 0
        assert state(lab) is State.RUNNING
    finally:
        lab.behave(VICTIM, Manner.HONEST)
    assert since(lab, known) == ()
