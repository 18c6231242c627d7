"""Exit statuses follow from codes."""

from __future__ import annotations

import pytest

from sanglier.cli.exits import exit_status
from sanglier.run.codes import Code


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("", 0),
        (Code.STEP_FAILED, 1),
        (Code.NOT_CONVERGED, 1),
        ("SG-SPEC-001", 2),
        (Code.SECRETS_EXPOSED, 2),
        (Code.DRIFT, 3),
        (Code.CONSENT_MISSING, 3),
        (Code.LOCKED, 3),
        (Code.UNREACHABLE, 4),
        (Code.HOST_KEY_CHANGED, 4),
        (Code.NO_ROOT, 4),
        (Code.INTERRUPTED, 130),
    ],
)
def test_exit_status(code: str, status: int) -> None:
    assert exit_status(code) == status


def test_codes_are_unique() -> None:
    assert len({code.value for code in Code}) == len(Code.__members__)
