"""Whether a fault took has three answers, and what goes wrong on our side is none of the two."""

from __future__ import annotations

import pytest

from sanglier.core.errors import SanglierError
from sanglier.drill import settle, watch
from sanglier.drill.faults import networks
from sanglier.drill.result import DrillRun, Verdict
from sanglier.drill.schedule import parse

from .simulated import jumping
from .voices import key
from .world import World, check_of, play, verdicts

VALID, INVALID, UNKNOWN = Verdict.VALID, Verdict.INVALID, Verdict.UNKNOWN
OURS = (
    OSError(24, "Too many open files"),
    TimeoutError(),
    SanglierError(code="SG-SSH-009", subject="x", what="cannot run ssh"),
)


@pytest.fixture(name="world")
def fixture_world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(jumping(monkeypatch))


def doubt(run: DrillRun) -> str:
    assert verdicts(run)["faults"] is UNKNOWN
    assert run.injections == 0
    return check_of(run, "faults").summary


@pytest.mark.parametrize("error", OURS)
def test_an_error_of_ours_is_no_silence_of_a_host(world: World, error: Exception) -> None:
    world.dead_power = True
    world.breaks = lambda _, text: error if text == "true" else None
    assert "is not known" in doubt(play(world, parse("open-frozen-5+5")))


def test_silence_counts_only_while_another_host_answers(world: World) -> None:
    """Here it is we who hear nobody."""
    world.hangs = lambda _, text: text == "true"
    assert "is not known" in doubt(play(world, parse("open-frozen-5+5")))


def test_a_host_that_refuses_is_not_frozen(world: World) -> None:
    """A refusal is an answer of its kernel; and one that is off is not frozen either."""
    world.dead_power = True
    refused = SanglierError(code="SG-SSH-001", subject="disk-a", what="connection refused")
    world.breaks = lambda host, text: refused if (host, text) == ("disk-a", "true") else None
    assert "is not known" in doubt(play(world, parse("open-frozen-5+5")))


@pytest.mark.parametrize("word", ["replication-cut+15", "san-cut-one+15", "management-cut+15"])
@pytest.mark.parametrize("error", OURS)
def test_an_error_of_ours_cuts_no_network(world: World, word: str, error: Exception) -> None:
    world.breaks = lambda _, text: error if text == key(networks.REACHES) else None
    assert "is not known" in doubt(play(world, parse(word)))


@pytest.mark.parametrize("status", [2, 126, 127])
def test_a_ping_that_cannot_be_sent_cuts_no_network(world: World, status: int) -> None:
    """ping(8): 1 when nothing came back, 2 for any other error; 127 when there is no ping."""
    world.answers[key(networks.REACHES)] = lambda *_: (status, "ping: not found")
    assert "is not known" in doubt(play(world, parse("replication-cut+15")))


def test_a_plug_that_is_out_is_not_enough_while_the_other_end_is_reached(world: World) -> None:
    world.answers[key(networks.REACHES)] = lambda *_: (0, "")
    assert "did not take" in doubt(play(world, parse("replication-cut+15")))


def test_where_nobody_lives_to_ask_the_plug_counts(world: World) -> None:
    """The standby server is switched off at the same moment."""
    run = play(world, parse("standby-killed+15&replication-cut+15"), patience_s=300)
    assert verdicts(run)["faults"] is VALID, check_of(run, "faults")


def test_a_flapping_that_does_nothing_is_a_doubt(world: World) -> None:
    world.dead_power = True
    assert "did not take" in doubt(play(world, parse("replication-flapping+2")))


@pytest.mark.parametrize(
    ("word", "host"),
    [
        ("blackout+5", "disk-b"),
        ("blackout+5", "srv-b"),
        ("blackout+5", "witness"),
        ("both-storage-killed+10", "disk-b"),
        ("witness-and-open-killed+25", "witness"),
        ("witness-and-standby-killed+25", "witness"),
    ],
)
def test_a_fault_of_several_hosts_took_when_all_of_them_died(
    world: World, word: str, host: str
) -> None:
    world.immortal = {host}
    assert "did not take" in doubt(play(world, parse(word), patience_s=300))


@pytest.mark.parametrize(
    ("word", "host", "network"),
    [
        ("sans-cut-both+15", "srv-a", "san-a"),
        ("sans-cut-both+15", "srv-a", "san-b"),
        ("san-cut-all+15", "srv-b", "san-a"),
        ("open-isolated+30", "disk-a", "management"),
        ("open-isolated+30", "disk-a", "san-a"),
    ],
)
def test_a_fault_of_several_networks_took_when_all_of_them_were_cut(
    world: World, word: str, host: str, network: str
) -> None:
    world.stuck = {(host, network)}
    if word.startswith("san-cut-all"):
        world.stuck |= {(one, network) for one in ("disk-a", "disk-b")}
    assert "did not take" in doubt(play(world, parse(word), patience_s=300))


def test_evidence_that_cannot_be_had_is_told_apart_from_a_fault_that_cannot_be_made(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unseen(*_: object) -> bool:
        raise OSError(5, "no lab")

    monkeypatch.setattr(world, "dead", unseen)
    told = doubt(play(world, parse("witness-killed+10")))
    assert "whether witness-killed on witness took is not known: OSError" in told


@pytest.mark.parametrize("error", OURS)
def test_what_could_not_be_asked_is_not_a_cluster_that_did_not_heal(
    world: World, error: Exception
) -> None:
    began = world.loop.now
    world.breaks = lambda _, text: (
        error if text == key(settle.MOUNTED) and world.loop.now > began + 20 else None
    )
    found = check_of(play(world, parse("witness-killed+20"), patience_s=30), "healed")
    assert found.verdict is UNKNOWN
    assert "the mount or the paths on srv-a" in found.summary


def test_a_boot_that_was_not_told_at_first_is_no_reboot(world: World) -> None:
    first = [True, True]

    def boot(host: str, *_: str) -> tuple[int, str]:
        if host == "srv-b" and first:
            first.pop()
            return 1, ""
        return 0, f"boot-{world.servers[host].boot}"

    world.answers[key(watch.BOOT)] = boot
    run = play(world, parse("witness-killed+10"))
    assert verdicts(run)["fences"] is not INVALID
    assert "srv-b" in check_of(run, "faults").summary
