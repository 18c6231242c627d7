"""Where campaigns live: ``$SANGLIER_STATE/drills/IDENTITY/``, readable by their owner only.

A campaign that is under way has a folder without ``campaign.json``: it is not listed.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sanglier.core.errors import SanglierError
from sanglier.drill.report import document, page
from sanglier.drill.result import Campaign, DrillRun
from sanglier.run.journal import journal_root

LAST = "last"
"""Names the newest campaign."""
ABSENT = "SG-DRILL-042"
"""Code: there is no such campaign."""
UNWRITABLE = "SG-DRILL-043"
"""Code: a campaign could not be written."""

_IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,127}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The folder of one campaign."""

    folder: Path

    @property
    def identity(self) -> str:
        """Name of the campaign."""
        return self.folder.name

    @property
    def document(self) -> Path:
        """Its figures."""
        return self.folder / "campaign.json"

    @property
    def page(self) -> Path:
        """Its page for people."""
        return self.folder / "page.html"

    @property
    def histories(self) -> Path:
        """Folder of what each workload acknowledged and read."""
        return self.folder / "histories"

    @property
    def complete(self) -> bool:
        """Whether it has something to show."""
        return self.document.is_file()


def drills_root(environment: Mapping[str, str]) -> Path:
    """Give the folder of all campaigns."""
    return journal_root(environment) / "drills"


def begin(root: Path, identity: str) -> Kept:
    """Make the folder of a new campaign; SG-DRILL-043 when it exists or cannot be made."""
    _check(identity)
    kept = Kept(folder=root / identity)
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept.folder.mkdir(mode=0o700)
        kept.histories.mkdir(mode=0o700)
    except OSError as error:
        raise _unwritable(kept.folder, error) from error
    return kept


def keep(kept: Kept, campaign: Campaign) -> None:
    """Write the document and the page; may be called after each drill of a campaign.

    The document goes first: whatever happens to the page, the figures are there.
    """
    write_atomically(kept.document, document.to_text(campaign))
    write_atomically(kept.page, page.render(campaign, histories=str(kept.histories)))


def write_atomically(path: Path, text: str) -> None:
    """Put a whole file in place or leave the old one; SG-DRILL-043 when it cannot."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            Path(name).unlink()
        raise _unwritable(path, error) from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def campaigns(root: Path) -> tuple[Kept, ...]:
    """List the campaigns that have a document, newest first (identities begin with the time)."""
    if not root.is_dir():
        return ()
    found = (Kept(folder=folder) for folder in root.iterdir() if _IDENTITY.fullmatch(folder.name))
    complete = (kept for kept in found if kept.complete)
    return tuple(sorted(complete, key=lambda kept: kept.identity, reverse=True))


def find(root: Path, name: str = LAST) -> Kept:
    """Find a campaign by its identity, or the ``last``; SG-DRILL-042 when there is none."""
    if name == LAST:
        newest = campaigns(root)
        if not newest:
            raise _absent(str(root), "no campaign of drills is kept here", "run `sanglier drill`")
        return newest[0]
    _check(name)
    kept = Kept(folder=root / name)
    if not kept.complete:
        raise _absent(name, _why_absent(kept), "`sanglier drill list` shows those that are kept")
    return kept


def _why_absent(kept: Kept) -> str:
    if kept.folder.is_dir():
        return f"this campaign did not come to a result; what it recorded is in {kept.folder}"
    return "there is no such campaign"


def of_seed(root: Path, seed: int) -> tuple[DrillRun, ...]:
    """Give the drills of the newest campaign that was drawn from ``seed``; SG-DRILL-042 if none."""
    for kept in campaigns(root):
        runs = tuple(run for run in read(kept).runs if run.seed == seed)
        if runs:
            return runs
    raise _absent(
        f"seed {seed}",
        "no campaign that was drawn from this seed is kept here",
        f"`sanglier drill random --seed {seed} --rounds N --faults N` draws it; or give the "
        "faults as words, as a report has them",
    )


def read(kept: Kept) -> Campaign:
    """Read a campaign; raises SG-DRILL-040 to 042."""
    return read_document(kept.document)


def read_document(path: Path) -> Campaign:
    """Read a campaign from any file."""
    try:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        what = f"this campaign cannot be read: {error.strerror}"
        raise _absent(str(path), what, "`sanglier drill list` shows those that are kept") from error
    return document.from_text(text, subject=str(path))


def _check(identity: str) -> None:
    """Refuse what could leave the folder or be taken for ``last``."""
    if identity == LAST or not _IDENTITY.fullmatch(identity):
        raise _absent(
            repr(identity),
            "this cannot be the name of a campaign",
            "letters, digits and ._:+- only",
        )


def _absent(subject: str, what: str, fix: str) -> SanglierError:
    return SanglierError(code=ABSENT, subject=subject, what=what, fix=fix)


def _unwritable(path: Path, error: OSError) -> SanglierError:
    return SanglierError(
        code=UNWRITABLE,
        subject=str(path),
        what=f"the campaign cannot be written: {error.strerror}",
        why="a drill without a record proves nothing",
        fix="make room or mend the permissions, or name another folder in $SANGLIER_STATE",
    )
