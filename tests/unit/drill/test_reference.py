"""The page of the drills is current."""

from __future__ import annotations

from pathlib import Path

from sanglier.drill import reference

PAGE = Path(__file__).parents[3] / "docs" / "reference" / reference.PAGE


def test_the_page_of_the_drills_is_what_the_catalogue_says() -> None:
    hint = "run: python -m sanglier.drill.reference --write docs/reference"
    assert PAGE.read_text(encoding="utf-8") == reference.page(), hint
