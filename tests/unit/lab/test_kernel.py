"""The known trap of user-mode Linux kernels."""

from __future__ import annotations

import pytest

from sanglier.core.errors import SanglierError
from sanglier.lab.kernel import Kernel, parse_check, refuse_unsafe

GOOD = """\
mmapper_init - find_iomem failed
sanglier-kernel-check 6.1.176 0000000060553928 T sock_def_readable
Powering off.
"""


def test_the_line_of_the_check_is_found_among_others() -> None:
    assert parse_check(GOOD) == Kernel(release="6.1.176", sock_def_readable=0x60553928)


@pytest.mark.parametrize("console", ["", "sanglier-kernel-check 6.1.176 \n", "Kernel panic"])
def test_no_answer_is_not_an_answer(console: str) -> None:
    assert parse_check(console) is None


def test_an_even_address_is_safe() -> None:
    refuse_unsafe(Kernel(release="6.1.176", sock_def_readable=0x60553928))


def test_an_odd_address_is_refused_with_the_explanation() -> None:
    with pytest.raises(SanglierError, match="SG-LAB-013") as refused:
        refuse_unsafe(Kernel(release="6.12.101", sock_def_readable=0x60553929))
    assert "sk_user_data" in str(refused.value) and "bookworm" in str(refused.value)
