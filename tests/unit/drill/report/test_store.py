"""Where campaigns are kept, and how they are found again."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from sanglier.core.errors import SanglierError
from sanglier.drill import store

from . import synthetic


def _kept(root: Path, identity: str) -> store.Kept:
    kept = store.begin(root, identity)
    store.keep(kept, synthetic.campaign())
    return kept


def test_the_folder_is_beside_the_journals(tmp_path: Path) -> None:
    assert store.drills_root({"SANGLIER_STATE": str(tmp_path)}) == tmp_path / "drills"


def test_a_campaign_is_read_back_and_has_its_page(tmp_path: Path) -> None:
    kept = _kept(tmp_path / "drills", "2030-01-02T030405Z-7")
    assert store.read(kept) == synthetic.campaign()
    assert str(kept.histories) in kept.page.read_text(encoding="utf-8")
    assert kept.histories.is_dir()


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    kept = _kept(tmp_path / "drills", "one")
    modes = [stat.S_IMODE(p.stat().st_mode) for p in (kept.folder, kept.document, kept.page)]
    assert modes == [0o700, 0o600, 0o600]


def test_the_newest_is_first_and_last_finds_it(tmp_path: Path) -> None:
    for identity in ("2030-01-02T030405Z-7", "2030-02-01T000000Z-1", "2029-12-31T235959Z-9"):
        _kept(tmp_path, identity)
    store.begin(tmp_path, "2031-01-01T000000Z-1")
    listed = [kept.identity for kept in store.campaigns(tmp_path)]
    assert listed == ["2030-02-01T000000Z-1", "2030-01-02T030405Z-7", "2029-12-31T235959Z-9"]
    assert store.find(tmp_path, "last").identity == listed[0]
    assert store.find(tmp_path, listed[2]).identity == listed[2]


def test_keeping_again_replaces_and_leaves_nothing_behind(tmp_path: Path) -> None:
    kept = _kept(tmp_path, "one")
    store.keep(kept, synthetic.campaign(synthetic.kill_open_side()))
    assert len(store.read(kept).runs) == 1
    names = sorted(path.name for path in kept.folder.iterdir())
    assert names == ["campaign.json", "histories", "page.html"]


def test_a_file_that_cannot_be_replaced_stays_and_nothing_is_left(tmp_path: Path) -> None:
    target = tmp_path / "campaign.json"
    target.mkdir()
    with pytest.raises(SanglierError, match="SG-DRILL-043"):
        store.write_atomically(target, "text")
    assert list(tmp_path.iterdir()) == [target]


def test_an_identity_is_not_used_twice(tmp_path: Path) -> None:
    store.begin(tmp_path, "one")
    with pytest.raises(SanglierError, match="SG-DRILL-043"):
        store.begin(tmp_path, "one")


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "/etc", ".hidden", "a\0b", "a\n", "-x"])
def test_a_name_never_leaves_the_folder(tmp_path: Path, name: str) -> None:
    for act in (store.find, store.begin):
        with pytest.raises(SanglierError, match="SG-DRILL-042"):
            act(tmp_path, name)


def test_last_is_no_identity(tmp_path: Path) -> None:
    with pytest.raises(SanglierError, match="SG-DRILL-042"):
        store.begin(tmp_path, "last")


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SanglierError, match="no campaign of drills is kept here"):
        store.find(tmp_path / "nothing")
    with pytest.raises(SanglierError, match="there is no such campaign"):
        store.find(tmp_path, "absent")


def test_a_campaign_without_a_result_says_where_its_record_is(tmp_path: Path) -> None:
    kept = store.begin(tmp_path, "cut-short")
    with pytest.raises(SanglierError, match="did not come to a result") as caught:
        store.find(tmp_path, "cut-short")
    assert str(kept.folder) in str(caught.value)


def test_a_seed_is_found_in_the_newest_campaign_that_was_drawn_from_it(tmp_path: Path) -> None:
    for identity in ("2030-01-02T030405Z-7", "2030-02-01T000000Z-7"):
        _kept(tmp_path, identity)
    runs = store.of_seed(tmp_path, 7)
    assert runs
    assert {run.seed for run in runs} == {7}
    with pytest.raises(SanglierError, match="seed 8") as caught:
        store.of_seed(tmp_path, 8)
    assert caught.value.code == store.ABSENT
