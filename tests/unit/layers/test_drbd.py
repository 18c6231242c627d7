"""The mirror, as /proc/drbd, drbdsetup and drbdmeta tell it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sanglier.core.probe import Output
from sanglier.layers.base import Goal
from sanglier.layers.drbd.desired import (
    checked_options,
    handler_file,
    handler_waits,
    resource_file,
)
from sanglier.layers.drbd.facts import DrbdFacts, Resource
from sanglier.layers.drbd.probe import HOLD, parse, parse_resource
from sanglier.layers.files import differs

from .alter import with_side
from .goal import ARTICLE, GOAL, SECRETS, STORAGE, TIMINGS, VOLUME
from .recordings import facts_of, outputs_of
from .simulate import applying


def side(case: str, host: str) -> Resource:
    return facts_of(case).of(host, DrbdFacts).resources[VOLUME.name]


@pytest.mark.parametrize("host", STORAGE)
def test_nothing_is_up_on_blank_hosts(host: str) -> None:
    assert side("blank", host) == Resource(named="254:0")
    assert facts_of("blank").of(host, DrbdFacts).files == {}


@pytest.mark.parametrize("host", STORAGE)
def test_a_converged_side_is_primary_and_up_to_date(host: str) -> None:
    found = side("converged", host)
    assert (found.up, found.connection, found.role, found.disk) == (
        True, "Connected", "Primary", "UpToDate",
    )  # fmt: skip
    assert (found.peer_role, found.peer_disk, found.protocol) == ("Primary", "UpToDate", "C")
    assert found.exportable
    assert not found.suspended
    assert found.metadata
    assert not found.fresh
    assert facts_of("converged").of(host, DrbdFacts).version.startswith("8.4.")


@pytest.mark.parametrize("host", STORAGE)
def test_the_resource_file_is_known_by_its_digest_only(host: str) -> None:
    files = facts_of("converged").of(host, DrbdFacts).files
    assert not differs(resource_file(GOAL, VOLUME), files)
    assert {state.text for state in files.values()} == {None}


@pytest.mark.parametrize("host", STORAGE)
def test_every_checked_option_is_read_back_as_the_file_spells_it(host: str) -> None:
    wanted = checked_options(GOAL.cluster)
    found = side("converged", host).options
    assert {key: found.get(key) for key in wanted} == wanted


def test_every_wait_of_the_handler_is_read_from_the_file_that_we_write(tmp_path: Path) -> None:
    file = tmp_path / "fence-peer"
    file.write_text(str(handler_file(GOAL).content), encoding="utf-8")
    argv = ["sh", "-c", HOLD, "sh", str(file)]
    read = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    outputs = outputs_of("converged", "disk-a", "drbd")
    looks = {**outputs, "handler": Output(status=0, text=read)}
    found = parse(GOAL, "disk-a", looks)
    assert isinstance(found, DrbdFacts)
    assert found.handler == handler_waits(TIMINGS)


def test_options_changed_by_hand_are_seen() -> None:
    options = side("drbd-option-changed", "disk-a").options
    assert (options["ping-int"], options["ko-count"]) == ("33", "2")


def test_sides_that_stand_alone_are_connected_and_a_split_brain_is_noticed() -> None:
    summaries = [s.summary for s in applying(GOAL, facts_of("drbd-split-brain")).steps]
    connect, wait = "connect resource data", "wait until data is connected"
    assert summaries[:3] == [connect, connect, wait]


def test_a_side_that_is_down_is_the_clusters_to_start() -> None:
    for case in ("engine-stopped", "node-in-standby"):
        assert not side(case, "disk-b").up
        assert not [s for s in applying(GOAL, facts_of(case)).steps if s.address.layer == "drbd"]


def test_a_server_that_cannot_kill_its_lost_peer_freezes() -> None:
    found = side("disk-b-dead", "disk-a")
    assert (found.suspended, found.role, found.disk) == (True, "Primary", "UpToDate")
    assert found.connection == "WFConnection"


def test_a_cut_mirror_stands_alone_on_one_side_and_waits_on_the_other() -> None:
    assert side("drbd-stand-alone", "disk-b").connection == "StandAlone"
    assert side("drbd-stand-alone", "disk-a").connection == "WFConnection"
    assert not side("drbd-stand-alone", "disk-b").suspended
    assert side("drbd-stand-alone", "disk-b").protocol == ""


def test_a_detached_side_is_up_has_metadata_and_is_not_new() -> None:
    found = side("drbd-detached", "disk-b")
    assert (found.up, found.disk, found.metadata, found.fresh) == (True, "Diskless", True, False)
    assert not found.exportable


def test_a_rebooted_server_has_metadata_and_nothing_up() -> None:
    found = side("disk-b-rebooted", "disk-b")
    assert (found.up, found.metadata, found.fresh) == (False, True, False)


def test_a_resync_is_told_with_its_percentage_on_both_sides() -> None:
    behind, ahead = side("drbd-sync-target", "disk-b"), side("drbd-sync-target", "disk-a")
    assert (behind.connection, behind.disk) == ("SyncTarget", "Inconsistent")
    assert (ahead.connection, ahead.disk) == ("SyncSource", "UpToDate")
    assert behind.synced_percent is not None
    assert 0 <= behind.synced_percent < 100
    assert behind.connected
    assert not behind.exportable


def test_an_outdated_side_is_told_from_an_up_to_date_one() -> None:
    assert side("drbd-outdated", "disk-b").disk == "Outdated"


@pytest.mark.parametrize("host", STORAGE)
def test_data_that_a_destroy_kept_has_metadata_that_is_not_fresh(host: str) -> None:
    found = side("destroyed", host)
    assert (found.up, found.metadata, found.fresh) == (False, True, False)


def test_metadata_that_nobody_used_yet_is_fresh() -> None:
    assert side("metadata-just-made", "disk-a").fresh


def test_frozen_io_is_the_first_flag() -> None:
    outputs = outputs_of("converged", "disk-a", "drbd")
    state = Output(status=0, text=outputs["state"].text.replace("r-----", "s---F-"))
    assert parse_resource(state, outputs["resource-data"], VOLUME.minor).suspended


def test_a_resource_is_found_by_its_name_whatever_minor_the_file_says() -> None:
    outputs = outputs_of("converged", "disk-a", "drbd")
    found = parse_resource(outputs["state"], outputs["resource-data"], 1)
    assert (found.up, found.role, found.in_force.minor) == (True, "Primary", 0)


@pytest.mark.parametrize("text", ["1..2", "1.", ".5", "²"])
def test_an_odd_percentage_is_unknown(text: str) -> None:
    line = " 0: cs:SyncTarget ro:Secondary/Primary ds:Inconsistent/UpToDate C r-----\n"
    state = Output(status=0, text=f"{line}\t[>...] sync'ed: {text}% (1/2)M\n")
    found = parse_resource(state, Output(status=0, text=""), 0)
    assert found.connection == "SyncTarget"
    assert found.synced_percent is None


def test_a_missing_module_is_no_version_not_an_error() -> None:
    outputs = outputs_of("converged", "disk-a", "drbd")
    found = parse(GOAL, "disk-a", {**outputs, "state": Output(status=0, text="")})
    assert isinstance(found, DrbdFacts)
    assert found.version == ""


@pytest.mark.parametrize("host", STORAGE)
def test_the_secret_in_use_is_known_by_its_digest_only(host: str) -> None:
    assert side("converged", host).secret_digest == SECRETS.drbd[VOLUME.name].digest()


def test_a_side_without_a_connection_tells_no_secret() -> None:
    assert side("drbd-stand-alone", "disk-b").secret_digest == ""


def test_another_secret_in_use_is_adjusted_without_showing_it() -> None:
    facts = with_side(facts_of("converged"), "disk-a", secret_digest="0" * 64)
    (step,) = applying(GOAL, facts).steps
    assert step.reason == "the shared secret in use is another"


@pytest.mark.parametrize("goal", [GOAL, ARTICLE], ids=["guarded", "article"])
def test_without_any_data_io_waits_and_does_not_fail(goal: Goal) -> None:
    """A diskless side that loses its peer: no handler is called, errors reach the filesystem."""
    text = " ".join(resource_file(goal, VOLUME).text.split())
    assert "options { on-no-data-accessible suspend-io; }" in text
    assert checked_options(goal.cluster)["on-no-data-accessible"] == "suspend-io"


def test_what_runs_with_errors_instead_of_waiting_is_adjusted() -> None:
    options = {**side("converged", "disk-b").options, "on-no-data-accessible": "io-error"}
    facts = with_side(facts_of("converged"), "disk-b", options=options)
    (step,) = applying(GOAL, facts).steps
    assert step.summary == "adjust resource data"
    assert step.reason == "on-no-data-accessible is io-error, not suspend-io"
