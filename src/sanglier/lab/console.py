"""A person at a host's console: keys go into its keyboard, its log comes out on the terminal."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from pathlib import Path

LEAVE = b"\x1d"
"""Ctrl-]."""

BACKLOG = 4096
"""Bytes of the log that are shown first."""

POLL = 0.1
"""Seconds between two looks at the log."""


def attend(log: Path, keyboard: Path) -> None:
    """Connect the terminal until Ctrl-] is pressed; its modes are restored in any case."""
    terminal = sys.stdin.fileno()
    modes = termios.tcgetattr(terminal)
    keys = os.open(keyboard, os.O_WRONLY | os.O_NONBLOCK)
    screen = os.open(log, os.O_RDONLY)
    try:
        tty.setraw(terminal)
        os.lseek(screen, max(0, os.fstat(screen).st_size - BACKLOG), os.SEEK_SET)
        while _turn(terminal, keys, screen):
            pass
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, modes)
        os.close(keys)
        os.close(screen)


def _turn(terminal: int, keys: int, screen: int) -> bool:
    """Pass on what there is, both ways; False once Ctrl-] was pressed."""
    while shown := os.read(screen, 65536):
        os.write(sys.stdout.fileno(), shown)
    ready, _, _ = select.select([terminal], [], [], POLL)
    typed = os.read(terminal, 1024) if ready else b""
    if LEAVE in typed or (ready and not typed):
        return False
    os.write(keys, typed)
    return True
