"""What a rule is: a code, a title, an explanation and a pure check."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sanglier.spec.draft import Draft
from sanglier.spec.mistake import Found

Check = Callable[[Draft], Iterator[Found]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of the cluster file.

    ``check`` is ``None`` for rules that are applied while the file is read, before
    there is a draft to look at.
    """

    code: str
    title: str
    explanation: str
    check: Check | None = None
    warning: bool = False


def rule(code: str, *, warning: bool = False) -> Callable[[Check], Rule]:
    """Make a :class:`Rule` of a check; its docstring is title and explanation."""

    def make(check: Check) -> Rule:
        title, _, rest = inspect.cleandoc(check.__doc__ or "").partition("\n")
        return Rule(code=code, title=title, explanation=rest.strip(), check=check, warning=warning)

    return make
