"""Secrets show themselves to nobody who does not ask for it."""

from __future__ import annotations

import hashlib
from dataclasses import FrozenInstanceError, dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanglier.core.secret import MASK, Secret, mask

SECRET = Secret("hunter2hunter2")


@dataclass(frozen=True)
class Holder:
    secret: Secret


@pytest.mark.parametrize(
    "shown",
    [repr(SECRET), str(SECRET), f"{SECRET}", f"{SECRET!r}", f"{SECRET!s:>20}", f"{SECRET}",
     repr(Holder(SECRET)), repr([SECRET]), repr({"a": SECRET})],
)  # fmt: skip
def test_no_way_of_printing_shows_it(shown: str) -> None:
    assert "hunter2" not in shown
    assert MASK in shown


def test_it_is_given_when_asked_for() -> None:
    assert SECRET.reveal() == "hunter2hunter2"


def test_equal_secrets_are_equal_and_cannot_be_changed() -> None:
    assert Secret("hunter2hunter2") == SECRET
    assert Secret("x") != SECRET
    with pytest.raises(FrozenInstanceError):
        SECRET._value = "y"  # type: ignore[misc]


def test_the_digest_is_that_of_a_file_of_one_line() -> None:
    assert SECRET.digest() == hashlib.sha256(b"hunter2hunter2\n").hexdigest()


def test_mask_hides_every_occurrence_of_every_secret() -> None:
    text = mask("a hunter2hunter2 b other c other", (SECRET, Secret("other")))
    assert text == f"a {MASK} b {MASK} c {MASK}"


def test_an_empty_secret_masks_nothing() -> None:
    assert mask("abc", (Secret(""),)) == "abc"


@given(before=st.text(), after=st.text(), secret=st.text(min_size=4).filter(lambda s: "*" not in s))
def test_a_masked_text_never_holds_the_secret(before: str, after: str, secret: str) -> None:
    assert secret not in mask(before + secret + after, (Secret(secret),))


def test_a_secret_within_a_secret_is_masked_too() -> None:
    text = mask("abcdef abc", (Secret("abc"), Secret("abcdef")))
    assert "abc" not in text
