"""What the timeouts in force mean for a run: errors with codes, and an event."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from layers.goal import GOAL
from layers.recordings import facts_of
from layers.test_read_back import CONVERGED, with_o2cb, with_session, with_settings

from sanglier.cli.exits import FAILED, exit_status
from sanglier.core.problem import Severity
from sanglier.layers.read_back import read_back
from sanglier.run.codes import Code
from sanglier.run.journal import as_json
from sanglier.run.settled import errors_of, told

from .toy_stack import problem

SHORT = {"dead_threshold": "40"}
FAILS = {"no_path_retry": "fail"}


def test_a_converged_cluster_has_no_errors() -> None:
    found = read_back(GOAL, CONVERGED)
    assert list(errors_of(found, ())) == []
    event = told(found)
    assert (event.read, event.differing, event.absent, event.broken) == (found.read, (), (), ())


def test_each_value_that_differs_is_named_with_its_code() -> None:
    found = read_back(GOAL, with_session("srv-a", abort_tmo=15))
    (error,) = errors_of(found, ())
    assert str(error).startswith(
        "srv-a/initiator: data.disk-a 10.77.2.11 abort_tmo: wanted 10, in force 15"
    )
    assert {error.code, Code.NOT_IN_FORCE} == {"SG-RUN-017"}
    assert exit_status(error.code) == FAILED


def test_an_inequality_that_fails_is_named_with_both_sides() -> None:
    found = {e.subject: e for e in errors_of(read_back(GOAL, with_o2cb("srv-a", **SHORT)), ())}
    assert found["srv-a/ocfs2"].code == Code.NOT_IN_FORCE
    assert {found["I1"].code, Code.OVER_BUDGET} == {"SG-RUN-018"}
    assert "(89 against 78)" in found["I1"].what


def test_what_held_by_construction_says_what_is_not_so() -> None:
    found = {e.subject: e for e in errors_of(read_back(GOAL, with_o2cb("srv-a", **SHORT)), ())}
    assert found["I8"].what == (
        "fails with the values in force: o2cb's values are equal on srv-a, srv-b"
    )
    found = {e.subject: e for e in errors_of(read_back(GOAL, with_settings("srv-b", **FAILS)), ())}
    assert found["I2"].what.endswith("no_path_retry is queue: no_path_retry is fail on srv-b")


def test_what_is_missing_is_an_error_only_when_nothing_says_why() -> None:
    found = read_back(GOAL, facts_of("session-logged-out"))
    assert found.absent
    assert {error.code for error in errors_of(found, ())} == {Code.NOT_IN_FORCE}
    assert all("in force nothing" in error.what for error in errors_of(found, ()))
    assert list(errors_of(found, (problem(Severity.WAITING),))) == []


def test_the_event_is_plain_json() -> None:
    event = told(read_back(GOAL, with_session("srv-b", ping_tmo=25)))
    line = json.loads(as_json(event, datetime.now(UTC)))
    assert line["event"] == "ReadBackDone"
    assert line["differing"] == [
        {"host": "srv-b", "layer": "initiator", "name": "data.disk-a 10.77.2.11 ping_tmo",
         "wanted": "5", "actual": "25"},
    ]  # fmt: skip
    assert line["broken"] == ["I5"]
