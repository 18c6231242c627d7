"""Every rule fires at the right place, and only where it should."""

from __future__ import annotations

import re
from ipaddress import ip_address
from types import ModuleType

import pytest

from sanglier.spec import rules
from sanglier.spec.rules.addresses import unusable
from sanglier.spec.rules.base import Rule
from sanglier.spec.rules.hosts import destination

from .cluster_file import GOOD, broken, check, codes, place_of
from .firing import FIRING, SILENT

_ELSEWHERE = {"SG-SPEC-001"}
"""Has no text: see test_load.py."""


def test_the_good_file_has_nothing_wrong() -> None:
    checked = check(GOOD)
    assert checked.mistakes == ()
    assert checked.warnings == ()


@pytest.mark.parametrize(("code", "path", "marked"), FIRING)
def test_rule_fires_at_its_place(code: str, path: str, marked: str) -> None:
    text, line, column = place_of(marked)
    checked = check(text)
    rule = rules.RULES[code]
    found = checked.warnings if rule.warning else checked.mistakes
    first = next(m for m in found if m.code == code)
    assert (first.path, first.line, first.column) == (path, line, column), first
    assert first.what and first.fix
    assert (checked.cluster is None) is not rule.warning


@pytest.mark.parametrize(("code", "path", "marked"), FIRING)
def test_one_wrong_thing_is_reported_once(code: str, path: str, marked: str) -> None:
    mistakes = check(place_of(marked)[0]).mistakes
    if not rules.RULES[code].warning:
        assert {m.code for m in mistakes} == {code}


@pytest.mark.parametrize(("code", "replacements"), SILENT)
def test_rule_is_silent(code: str, replacements: tuple[tuple[str, str], ...]) -> None:
    checked = check(broken(*replacements))
    assert code not in codes(checked)
    assert checked.mistakes == ()


def test_every_code_has_a_firing_case() -> None:
    assert set(rules.RULES) - {code for code, _, _ in FIRING} == _ELSEWHERE


def test_every_rule_of_every_module_is_registered() -> None:
    modules = [value for value in vars(rules).values() if isinstance(value, ModuleType)]
    written = [r for m in modules for r in vars(m).values() if isinstance(r, Rule)]
    written += [r for m in modules for r in getattr(m, "RULES", ())]
    assert {rule.code for rule in written} == set(rules.RULES)
    assert len({id(rule) for rule in written}) == len(rules.RULES), "a code is used twice"


@pytest.mark.parametrize("rule", rules.RULES.values(), ids=lambda rule: rule.code)
def test_rule_explains_itself(rule: Rule) -> None:
    assert re.fullmatch(r"SG-SPEC-[0-9]{3}", rule.code)
    assert rule.title and not rule.title.endswith(".")
    assert len(rule.explanation) > 40
    assert rule.explanation.endswith((".", ")"))


def test_rules_run_on_the_valid_parts_of_a_wrong_file() -> None:
    text = broken(("cluster: guiguiabloc\n", ""), ("10.77.2.21", "10.77.2.11"), ("8", "x"))
    text += "  third: 7\nunknown: 1\n"
    assert codes(check(text)) >= {"SG-SPEC-010", "SG-SPEC-011", "SG-SPEC-012", "SG-SPEC-042"}


def test_all_mistakes_at_once_in_the_order_of_the_file() -> None:
    everything = broken(
        ("guiguiabloc", "G"),
        ("safe", "slow"),
        ("root@10.77.0.11", "-x"),
        ("10.77.1.12", "nowhere"),
        ("node: 7", "node: 0"),
        ("  srv-a:\n", "  srv-a:\n    node: 0\n"),
        ("/dev/vg0/data", "/etc"),
        ("label: DATA", "lable: DATA"),
        ("10GiB", "10"),
        ("/var/mail", "/etc"),
    )
    mistakes = check(everything).mistakes
    assert [m.code for m in mistakes] == [
        "SG-SPEC-020",
        "SG-SPEC-013",
        "SG-SPEC-026",
        "SG-SPEC-040",
        "SG-SPEC-037",
        "SG-SPEC-052",
        "SG-SPEC-010",
        "SG-SPEC-003",
        "SG-SPEC-055",
    ]
    assert list(mistakes) == sorted(mistakes, key=lambda m: (m.line, m.column))


def test_message_has_the_form_of_the_style() -> None:
    (mistake,) = check(broken(("10GiB", '"10"'))).mistakes
    assert str(mistake).splitlines() == [
        'cluster.yaml:41:11: volumes.data.size: expected a size such as 10GiB, got "10"'
        "  [SG-SPEC-003]",
        "  do:  write a number and its unit: KiB MiB GiB TiB, or KB MB GB TB",
    ]


def test_unknown_key_gets_a_suggestion() -> None:
    (mistake,) = check(broken(("prefer:", "perfer:"))).mistakes
    assert mistake.fix.startswith("did you mean `prefer`?")


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("::1", "loopback"),
        ("::", "unspecified"),
        ("fe80::1", "link-local"),
        ("ff02::1", "multicast"),
        ("::ffff:10.77.1.11", "IPv4 address inside IPv6"),
        ("0.1.2.3", "no address of a host"),
        ("255.255.255.255", "broadcast"),
    ],
)
def test_addresses_that_no_server_has(address: str, kind: str) -> None:
    assert kind in unusable(ip_address(address))


@pytest.mark.parametrize(
    "address", ["10.77.1.11", "192.0.2.1", "100.64.0.1", "fd00::1", "2001:db8::1"]
)
def test_addresses_that_a_server_can_have(address: str) -> None:
    assert unusable(ip_address(address)) == ""


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("root@h", "admin@H", True),
        ("h", "ssh://root@h:22/", True),
        ("fd00::1", "ssh://[fd00::1]", True),
        ("h", "ssh://h:2222", False),
        ("h1", "h2", False),
    ],
)
def test_destinations_of_one_server(one: str, other: str, same: bool) -> None:
    assert (destination(one) == destination(other)) is same


def test_a_message_never_carries_control_characters() -> None:
    text = broken(("label: DATA", 'label: "\\e[2J\\u202e\\r"'), ("data:", '"\\e]0;x\\a":'))
    for mistake in check(text).mistakes:
        assert str(mistake).replace("\n", "").isprintable()
