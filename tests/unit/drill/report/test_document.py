"""A campaign survives its document, and a document that is none is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanglier.core.errors import SanglierError
from sanglier.drill.report.document import from_text, to_text
from sanglier.drill.result import Campaign

from . import synthetic

ANY_TEXT = st.text(st.characters(), max_size=12)
"""Lone surrogates too: names come from hosts, decoded with surrogateescape."""
FLOATS = st.floats(allow_nan=False)


def _campaigns() -> st.SearchStrategy[Campaign]:
    for kind, strategy in ((str, ANY_TEXT), (float, FLOATS)):
        st.register_type_strategy(kind, strategy)
    return st.from_type(Campaign)


@settings(max_examples=60)
@given(campaign=st.deferred(_campaigns))
def test_any_campaign_is_read_back_as_it_was_written(campaign: Campaign) -> None:
    assert from_text(to_text(campaign)) == campaign


def test_a_document_is_json_for_other_tools_with_the_verdicts() -> None:
    text = to_text(synthetic.campaign())
    document: dict[str, Any] = json.loads(text, parse_constant=pytest.fail)
    assert text.isascii()
    assert (document["schema"], document["version"]) == ("sanglier-drill-campaign", 1)
    assert document["campaign"]["verdict"] == "INVALID"
    assert [run["verdict"] for run in document["campaign"]["runs"]] == [
        "VALID",
        "INVALID",
        "UNKNOWN",
        "VALID",
    ]


@pytest.mark.parametrize("version", [0, 2, 99, "1", 1.0, True, None])
def test_another_version_is_refused_by_name(version: object) -> None:
    document = json.loads(to_text(synthetic.campaign())) | {"version": version}
    with pytest.raises(SanglierError, match="SG-DRILL-041") as caught:
        from_text(json.dumps(document), subject="old.json")
    assert str(caught.value).startswith(f"old.json: this campaign has schema version {version!r}")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"schema":"x"}', "[" * 100_000])
def test_what_is_no_campaign_is_refused(text: str) -> None:
    with pytest.raises(SanglierError, match="SG-DRILL-040"):
        from_text(text)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("runs",), None, "campaign.runs: expected a list, got NoneType"),
        (("runs", 0, "seed"), True, "campaign.runs[0].seed: expected int, got bool"),
        (("runs", 0, "length_s"), "62", "runs[0].length_s: expected a number, got str"),
        (("runs", 0, "length_s"), 10**400, "runs[0].length_s: expected a number that a float"),
        (("runs", 0, "checks", 0, "verdict"), "FINE", "expected one of VALID, INVALID, UNKNOWN"),
        (("runs", 0, "checks", 0, "verdict"), [], "expected one of VALID, INVALID, UNKNOWN"),
        (("runs", 0, "checks", 0, "numbers"), [1], "numbers: expected an object, got list"),
        (("runs", 0, "moments", 1), {}, "runs[0].moments[1]: at_s, kind, host, text missing"),
    ],
)
def test_a_misfit_is_named_by_its_place(
    path: tuple[str | int, ...], value: object, words: str
) -> None:
    document = json.loads(to_text(synthetic.campaign()))
    inner = document["campaign"]
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(SanglierError) as caught:
        from_text(json.dumps(document))
    assert caught.value.code == "SG-DRILL-040"
    assert words in caught.value.why
