"""All rules of the cluster file, by code.  Pure: they look at a draft and at nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from sanglier.spec.draft import Draft
from sanglier.spec.mistake import Found
from sanglier.spec.rules import (
    addresses,
    fencing,
    filesystems,
    hosts,
    names,
    reading,
    timeouts,
    volumes,
)
from sanglier.spec.rules.base import Rule

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.code: rule
        for module in (reading, names, hosts, fencing, addresses, volumes, filesystems, timeouts)
        for rule in sorted(module.RULES, key=lambda rule: rule.code)
    }
)


def check_rules(draft: Draft) -> Iterator[tuple[Rule, Found]]:
    """Apply every rule to ``draft``."""
    for rule in RULES.values():
        if rule.check is not None:
            for found in rule.check(draft):
                yield rule, found
