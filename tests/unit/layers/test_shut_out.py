"""Who is shut out is told by plan and status, and `apply` does not give the LUN back."""

from __future__ import annotations

import pytest

from sanglier.core.facts import Facts
from sanglier.core.probe import Output
from sanglier.layers.target import status
from sanglier.layers.target.desired import boots_path, tpg
from sanglier.layers.target.facts import Export, TargetFacts
from sanglier.layers.target.probe import parse_export

from .alter import altered
from .goal import GOAL, VOLUME
from .recordings import facts_of
from .simulate import applying

SERVER, APP = GOAL.cluster.storage[0], GOAL.cluster.applications[0]
IQN = GOAL.cluster.initiator_iqn(APP)
NOTE = boots_path(VOLUME, IQN)
OUT = "known b2\nout b2 2026-11-27T03:20:00Z\nout b1 2026-11-26T03:20:00Z"
LUN = f"{tpg(GOAL, VOLUME, SERVER)}/acls/{IQN}/lun_0"


def without_lun(note: str) -> Facts:
    facts = facts_of("converged")
    old = facts.of(SERVER.name, TargetFacts).exports[VOLUME.name]
    nodes = frozenset(node for node in old.nodes if not node.startswith(LUN))
    assert len(nodes) < len(old.nodes)
    values = {path: value for path, value in old.values.items() if path != NOTE}
    export = Export(nodes=nodes, values={**values, **({NOTE: note} if note else {})})
    return altered(facts, SERVER.name, TargetFacts, exports={VOLUME.name: export})


def test_apply_does_not_give_the_lun_back_to_who_is_shut_out() -> None:
    plan = applying(GOAL, without_lun(OUT))
    assert plan.steps == ()
    (problem,) = plan.problems
    assert problem.code == "SG-TGT-002"
    assert "srv-a is shut out since 2026-11-27T03:20:00Z" in problem.what


@pytest.mark.parametrize("note", ["", "known b3\nout b2 2026-11-27T03:20:00Z", "out b2 then"])
def test_another_lun_that_is_missing_is_given(note: str) -> None:
    plan = applying(GOAL, without_lun(note))
    assert [step.address.subject for step in plan.steps] == [f"{VOLUME.name}-acl-{APP.name}"]
    assert plan.problems == ()


def test_status_tells_who_is_shut_out() -> None:
    lines = {line.host: line.text for line in status.status(GOAL, without_lun(OUT))}
    assert lines[SERVER.name].endswith("; SHUT OUT: srv-a")
    assert "SHUT OUT" not in lines["disk-b"]


def test_status_tells_who_has_not_named_its_boot_and_is_not_guarded() -> None:
    (line, *_) = status.status(GOAL, without_lun(""))
    assert line.text.endswith("; a pause is not guarded against before the next boot of srv-a")
    assert line.healthy
    assert "guarded" not in status.status(GOAL, facts_of("converged"))[0].text


def test_a_note_is_read_with_the_export() -> None:
    found = parse_export(Output(status=0, text=f"==> {NOTE} <==\n{OUT}\n"))
    assert found.shut_out_since(NOTE) == "2026-11-27T03:20:00Z"
