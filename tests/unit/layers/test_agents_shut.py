"""What must be shut is shut where it is: the agents' own shell against sides opened by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from sanglier.layers.target.desired import (
    OPTIMIZED,
    OWN_GROUP,
    STANDBY,
    core,
    opened_path,
    state_path,
    tpg,
    tree_file,
)

from .goal import GOAL, VOLUME
from .test_agents import (
    AGENTS,
    FAILED,
    LUN,
    NOT_RUNNING,
    OPEN,
    A,
    Place,
    fixture_place,
    opened,
)

__all__ = ["fixture_place"]
STRANGER = "stranger"
NON_OPTIMIZED, LBA_DEPENDENT = "1", "4"


def group(place: Place, name: str) -> Path:
    return place.target / state_path(VOLUME, name)


def shut(path: Path) -> bool:
    return path.read_text().strip() == STANDBY


def pacemaker(place: Place, *nodes: str) -> None:
    """What crm_resource(8) --locate of Pacemaker 2.1.5 prints, with its space at the end."""
    said = [f"resource {VOLUME.name}-open is running on: {node} " for node in nodes]
    text = "\n".join(said or [f"resource {VOLUME.name}-open is NOT running"])
    place.tool("crm_resource", f"echo asked >> {place.root}/asked; cat <<'END'\n{text}\nEND")


def told(place: Place) -> bool:
    return (place.root / "run" / Path(opened_path(VOLUME)).name).exists()


def asked(place: Place) -> bool:
    return (place.root / "asked").exists()


@pytest.fixture(name="built")
def fixture_built(place: Place) -> Place:
    """A target that is built and enabled, in standby, with LIO's own group and nobody in it."""
    place.put(place.root / "etc/targets" / VOLUME.name, tree_file(GOAL, VOLUME, A).text)
    for path in (core(VOLUME), tpg(GOAL, VOLUME, A)):
        place.put(place.target / path / "enable", "1\n")
    place.put(group(place, OWN_GROUP), f"{STANDBY}\n")
    place.put(group(place, OWN_GROUP).with_name("members"), "")
    place.tool("logger", f'echo "$*" >> {place.root}/log')
    place.tool("uname", "echo disk-a")
    place.tool("dd", "exit 0")
    pacemaker(place, "disk-b")
    return place


AGENT = pytest.mark.parametrize("agent", ["side", "target"])
WELL = {"side": NOT_RUNNING, "target": OPEN}
"""What the monitors say once it is shut: the side does not run, the target does."""


@AGENT
@pytest.mark.parametrize("state", [OPTIMIZED, NON_OPTIMIZED, LBA_DEPENDENT])
def test_a_side_that_somebody_opened_is_shut_and_told(built: Place, agent: str, state: str) -> None:
    built.put(built.state, f"{state}\n")
    assert built.run(AGENTS[agent], "monitor")[0] == WELL[agent]
    assert shut(built.state)
    assert told(built)
    assert "took I/O here by nobody's order" in (built.root / "log").read_text()


@AGENT
def test_a_side_that_the_cluster_opened_stays_open_and_nobody_is_asked(
    built: Place, agent: str
) -> None:
    pacemaker(built, "disk-a")
    opened(built)
    assert built.run(AGENTS[agent], "monitor")[0] == OPEN
    assert not shut(built.state)
    assert not asked(built)
    assert not told(built)


@AGENT
def test_a_side_that_an_older_agent_opened_stays_open_and_is_marked(
    built: Place, agent: str
) -> None:
    """As while a running cluster is taken over by an apply."""
    pacemaker(built, "disk-a")
    built.put(built.state, f"{OPTIMIZED}\n")
    assert built.run(AGENTS[agent], "monitor")[0] == OPEN
    assert not shut(built.state)
    assert built.mark.read_text()
    assert not told(built)


@AGENT
@pytest.mark.parametrize("said", ["exit 1", "exec /bin/sleep 60", "echo is running on: disk-aa"])
def test_without_pacemakers_word_it_is_shut(built: Place, agent: str, said: str) -> None:
    built.put(built.state, f"{OPTIMIZED}\n")
    built.tool("crm_resource", said)
    built.tool("timeout", 'shift; exec /usr/bin/timeout 0.2 "$@"')
    assert built.run(AGENTS[agent], "monitor")[0] == WELL[agent]
    assert shut(built.state)


def test_where_the_side_is_stopped_a_forged_mark_does_not_count(built: Place) -> None:
    opened(built)
    role = {"OCF_RESKEY_CRM_meta_role": "Stopped"}
    assert built.run(AGENTS["side"], "monitor", **role)[0] == NOT_RUNNING
    assert shut(built.state)
    assert not built.mark.read_text()
    assert told(built)


def test_a_look_at_the_stopped_side_that_comes_too_late_shuts_nothing(built: Place) -> None:
    """It was due before the start that Pacemaker has ordered meanwhile."""
    opened(built)
    pacemaker(built, "disk-a")
    role = {"OCF_RESKEY_CRM_meta_role": "Stopped"}
    assert built.run(AGENTS["side"], "monitor", **role)[0] == NOT_RUNNING
    assert not shut(built.state)


def test_the_mark_is_left_by_start_and_taken_by_stop(built: Place) -> None:
    assert built.run(AGENTS["side"], "start")[0] == OPEN
    assert built.mark.read_text()
    assert built.run(AGENTS["side"], "stop")[0] == OPEN
    assert not built.mark.read_text()


@pytest.mark.parametrize("name", [OWN_GROUP, STRANGER])
def test_another_port_group_is_shut_also_where_the_side_is_open(built: Place, name: str) -> None:
    opened(built)
    built.put(group(built, name), f"{OPTIMIZED}\n")
    built.put(group(built, name).with_name("members"), f"{LUN}\n")
    assert built.run(AGENTS["target"], "monitor")[0] == OPEN
    assert shut(group(built, name))
    assert not shut(built.state)
    assert told(built)


def test_lios_own_group_without_a_lun_is_shut_in_silence(built: Place) -> None:
    """As a running cluster has it that an older Sanglier built."""
    built.put(group(built, OWN_GROUP), f"{OPTIMIZED}\n")
    assert built.run(AGENTS["target"], "monitor")[0] == OPEN
    assert shut(group(built, OWN_GROUP))
    assert not told(built)


@AGENT
def test_a_lun_that_is_not_in_its_group_is_a_failure_of_both(built: Place, agent: str) -> None:
    opened(built)
    built.put(built.members, "")
    status, said = built.run(AGENTS[agent], "monitor")
    assert (status, "is not in its port group" in said) == (FAILED, True)


def test_a_side_whose_lun_is_elsewhere_does_not_open(built: Place) -> None:
    built.put(built.members, "")
    status, said = built.run(AGENTS["side"], "start")
    assert (status, "did not open" in said) == (FAILED, True)
    assert shut(built.state)


def test_stop_shuts_every_group_and_not_only_ours(built: Place) -> None:
    """The group was removed by hand, and its LUN fell into LIO's own, which somebody opened."""
    for name in ("alua_access_state", "members", "alua_access_type"):
        built.state.with_name(name).unlink(missing_ok=True)
    built.state.parent.rmdir()
    built.put(group(built, OWN_GROUP), f"{OPTIMIZED}\n")
    assert built.run(AGENTS["side"], "stop")[0] == OPEN
    assert shut(group(built, OWN_GROUP))


@AGENT
def test_a_group_that_cannot_be_shut_is_a_failure(built: Place, agent: str) -> None:
    """LIO refuses a transition of a group without an id; a folder with files stays."""
    built.put(group(built, STRANGER), f"{OPTIMIZED}\n")
    refusing = AGENTS[agent].replace('> "$1/alua_access_state"', "> /dev/full")
    assert refusing != AGENTS[agent]
    verb = {"side": "stop", "target": "monitor"}[agent]
    status, said = built.run(refusing, verb)
    assert (status, "cannot be shut" in said) == (FAILED, True)


def test_the_target_is_built_with_lios_own_group_shut_before_there_is_a_lun() -> None:
    lines = tree_file(GOAL, VOLUME, A).text.splitlines()
    own = lines.index(f"set {state_path(VOLUME, OWN_GROUP)} {STANDBY}")
    ours = lines.index(f"set {state_path(VOLUME)} {STANDBY}")
    lun = next(i for i, line in enumerate(lines) if line.startswith("link") and "/lun/" in line)
    assert own < ours < lun
    assert not [line for line in lines if line.endswith(f"access_state {OPTIMIZED}")]
