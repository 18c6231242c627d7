"""Rules about timeouts that are to be solved from a wish."""

from __future__ import annotations

from collections.abc import Iterator

from sanglier.core.errors import SanglierError
from sanglier.spec.draft import Draft, Text
from sanglier.spec.mistake import Found
from sanglier.spec.rules.base import rule
from sanglier.spec.seconds import parse_seconds
from sanglier.spec.solve import solve
from sanglier.spec.structure import bad_seconds


def _parsed(text: Text | None) -> int | None:
    try:
        return None if text is None else parse_seconds(text.value)
    except ValueError:
        return None


@rule("SG-SPEC-015")
def written_as_seconds(draft: Draft) -> Iterator[Found]:
    """A time is whole seconds with their unit

    Such as `20s`. The unit is never left out, because the tools of the stack count in
    milliseconds, tenths of a second and seconds; and no promise is finer than a second.
    """
    for text in (draft.stall, draft.stall_fence):
        if text is not None and _parsed(text) is None:
            yield bad_seconds(text.path, text.value)


@rule("SG-SPEC-090")
def possible_stall(draft: Draft) -> Iterator[Found]:
    """The wanted stall is possible

    All timeouts are solved from it, and each inequality of the budget must hold. What the fence
    devices need, level after level, the least patience of Corosync (a token of 1 s) and that of
    the initiators cannot be saved: the message names the inequality that fails and the least stall
    that is possible. At 60 s every timeout is at its most patient, so longer wishes are taken for
    mistakes.
    """
    stall, fence = _parsed(draft.stall), _parsed(draft.stall_fence)
    if draft.stall is None or stall is None or (draft.stall_fence is not None and fence is None):
        return
    try:
        solve(stall, fence, draft.fence_turns)
    except SanglierError as error:
        yield Found(draft.stall.path, error.what, error.fix)


RULES = (written_as_seconds, possible_stall)
