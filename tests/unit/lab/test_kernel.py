"""The known trap of user-mode Linux kernels."""

from __future__ import annotations

import pytest

from sanglier.core.errors import SanglierError
from sanglier.lab.kernel import Kernel, dead, parse_check, refuse_unsafe

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


PANIC = """\
ubda: Can't open "root.ext4": errno = 11
Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(98,0)
CPU: 0 PID: 1 Comm: swapper Not tainted 6.1.176 #1
Stack:
 606944ba 607e7fcd 7b03bce0 6067bb96
Call Trace:
 [<606944ba>] ? _printk+0x0/0x94
 [<6002d37a>] show_stack+0x184/0x193
Aborted
"""


def test_a_kernel_that_does_not_boot_tells_how_it_ended_and_what_it_said_last() -> None:
    told = str(dead(134, PANIC, 90))
    assert "SG-LAB-014" in told and "ended by SIGABRT" in told
    assert "Unable to mount root fs" in told and "errno = 11" in told
    assert "show_stack" not in told and "7b03bce0" not in told
    assert len(str(dead(1, PANIC * 100, 90)).splitlines()) < 20


@pytest.mark.parametrize(
    ("status", "ending"),
    [
        (0, "ended with status 0"),
        (1, "ended with status 1"),
        (124, "after 90 s"),
        (139, "by SIGSEGV"),
        (137, "by SIGKILL"),
        (255, "ended with status 255"),
    ],
)
def test_what_ended_it_is_told_and_nothing_is_guessed(status: int, ending: str) -> None:
    told = str(dead(status, "", 90))
    assert ending in told and "it said nothing" in told
    assert "ptrace" not in told and "/dev/shm" not in told
