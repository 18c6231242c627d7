"""The page: whole HTML, nothing fetched, nothing from a host taken for markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from sanglier.drill.report.page import render
from sanglier.drill.result import Campaign, DrillRun, MomentKind, OpenSpan, Verdict

from . import synthetic
from .synthetic import check, moment, series

VOID = {"meta", "br"}
HOSTILE = (
    "<script>alert(1)</script>",
    "\"onload='x' &amp; </title></style>",
    "]]><!--",
    "\x1b[31m\x00\u202e\udc80",
)


class Balance(HTMLParser):
    """Follows open elements; collects what is amiss, and all attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.amiss: list[str] = []
        self.seen: list[str] = []
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.amiss.append(tag)


def _parsed(text: str) -> Balance:
    parser = Balance()
    parser.feed(text)
    parser.close()
    return parser


def _hostile_run(words: str) -> DrillRun:
    return replace(
        synthetic.kill_open_side(),
        name=words,
        explains=words,
        schedule=(words,),
        started=words,
        moments=tuple(moment(n, kind, words, words) for n, kind in enumerate(MomentKind)),
        open_spans=tuple(
            OpenSpan(volume=words, host=host, from_s=0, to_s=9) for host in (words, "disk-b")
        ),
        series=(replace(series("srv-a", 60, (10, 20)), server=words),),
        checks=(check(words, Verdict.INVALID, words, words, (words, words), **{words: 1.0}),),
    )


def _hostile(words: str) -> Campaign:
    return replace(
        synthetic.campaign(_hostile_run(words)),
        identity=words,
        cluster=words,
        access=words,
        timings=words,
        version=words,
        machine=words,
    )


def test_the_page_is_balanced_html_and_its_pictures_are_xml() -> None:
    text = render(synthetic.campaign())
    parser = _parsed(text)
    assert (parser.open, parser.amiss) == ([], [])
    pictures = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len([p for p in map(ElementTree.fromstring, pictures) if p.get("role") == "img"]) == 8


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_text_is_shown_and_never_becomes_markup(words: str) -> None:
    tame = re.sub(r"\S", "A", words)
    parser, harmless = (_parsed(render(_hostile(w), histories=w)) for w in (words, tame))
    assert (parser.open, parser.amiss) == ([], [])
    assert parser.seen == harmless.seen
    names = [name for name, _ in parser.attributes]
    assert names == [name for name, _ in harmless.attributes]


@pytest.mark.parametrize("words", HOSTILE)
def test_pictures_of_hostile_text_are_xml(words: str) -> None:
    pictures = re.findall(r"<svg.*?</svg>", render(_hostile(words)), re.DOTALL)
    assert [ElementTree.fromstring(picture).tag for picture in pictures]


def test_control_characters_and_turned_text_do_not_reach_the_page() -> None:
    text = render(_hostile(HOSTILE[-1]))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", text)
    assert text.encode("utf-8")


def test_nothing_is_fetched_and_nothing_is_run() -> None:
    text = render(synthetic.campaign())
    parser = _parsed(text)
    assert not {"script", "link", "img", "iframe", "object", "image", "use"} & set(parser.seen)
    links = [value for name, value in parser.attributes if name in ("href", "src", "xlink:href")]
    assert all(link.startswith("#") for link in links)
    assert not [name for name, _ in parser.attributes if name.startswith("on")]
    addresses = re.findall(r"url\(([^)]*)\)", text)
    assert addresses
    assert all(address.startswith("#") for address in addresses)
    assert "@import" not in text


def test_every_link_and_every_reference_leads_somewhere_and_identifiers_are_unique() -> None:
    text = render(synthetic.campaign())
    attributes = _parsed(text).attributes
    ids = [value for name, value in attributes if name == "id"]
    assert len(ids) == len(set(ids))
    wanted = {value[1:] for name, value in attributes if name == "href"}
    wanted |= set(re.findall(r"url\(#([^)]*)\)", text))
    wanted |= {w for name, value in attributes if name == "aria-labelledby" for w in value.split()}
    assert wanted <= set(ids)


def test_the_page_follows_the_readers_colours() -> None:
    assert "@media(prefers-color-scheme:dark)" in render(synthetic.campaign())


def test_a_hundred_long_drills_stay_below_three_megabytes_and_are_all_there() -> None:
    text = render(synthetic.hundred())
    assert len(text.encode()) < 3_000_000
    assert text.count("<section>") == 100
    assert text.count('class="timeline wide"') == 100


def test_few_drills_have_a_picture_for_a_telephone_each() -> None:
    text = render(synthetic.campaign())
    assert text.count('class="timeline narrow"') == 4


def _tiles(campaign: Campaign) -> dict[str, str]:
    found = re.findall(r"<dt>([^<]*)</dt><dd>(.*?)</dd>", render(campaign))
    return {title: re.sub(r"<[^>]*>", " ", value) for title, value in found}


def test_the_top_says_the_verdict_and_the_totals() -> None:
    campaign = synthetic.campaign()
    tiles = _tiles(campaign)
    assert "2 acknowledged writes lost, 1 time both sides open" in render(campaign)
    assert tiles["drills"].startswith("4 2 VALID · 1 INVALID · 1 UNKNOWN")
    assert tiles["fault injections"] == "11"
    assert tiles["writes acknowledged"] == "124,262"
    assert tiles["acknowledged writes lost"].split()[0] == "2"
    assert tiles["times both sides open"] == "1"
    assert tiles["wrong fences"] == "0"


def test_what_nothing_measured_is_a_dash_and_never_zero() -> None:
    run = replace(synthetic.kill_open_side(), checks=(check("fsck"),))
    tiles = _tiles(synthetic.campaign(run))
    assert tiles["acknowledged writes lost"].split() == ["–", "not", "checked"]
    assert "none was lost" not in render(synthetic.campaign(run))


def test_a_failure_shows_its_evidence_its_histories_and_how_to_run_it_again() -> None:
    text = render(synthetic.campaign(synthetic.cut_replication()), histories="/kept/histories")
    assert "<details open=" in text
    assert "srv-b 8812: acknowledged at 13.911 s, in no file" in text
    assert "sanglier drill replay FILE --seed 7 cut:disk-a/replication wait:15" in text
    assert "/kept/histories" in text


def test_a_campaign_without_drills_is_unknown() -> None:
    empty = replace(synthetic.campaign(), runs=())
    text = render(empty)
    assert "? UNKNOWN" in text
    assert "Nothing is known: no drill was run." in text
