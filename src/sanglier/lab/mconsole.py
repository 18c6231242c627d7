"""The control socket of a user-mode Linux kernel (Documentation/virt/uml, mconsole).

One datagram each way.  Request: magic, version 2, length, 512 bytes of command.
Reply: error, more-follows, length, 512 bytes of text.
"""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

from sanglier.lab.errors import refuse

REQUEST = struct.Struct("=III512s")
REPLY = struct.Struct("=iiI512s")
MAGIC = 0xCAFEBABE
VERSION = 2


def pack_request(command: str) -> bytes:
    """Encode a command, at most 511 bytes."""
    data = command.encode()
    if len(data) > 511:
        raise ValueError("mconsole commands have at most 511 bytes")
    return REQUEST.pack(MAGIC, VERSION, len(data), data)


def parse_reply(data: bytes) -> tuple[bool, bool, str]:
    """Decode a reply: (went well, more follows, text)."""
    error, more, length, text = REPLY.unpack(data.ljust(REPLY.size, b"\0")[: REPLY.size])
    return error == 0, bool(more), text[: min(length, 512)].rstrip(b"\0").decode(errors="replace")


def ask(path: Path, command: str, *, timeout: float = 5.0) -> str:
    """Send one command and return the answer; SG-LAB-031 if it fails.  ``timeout`` in seconds."""
    own = path.with_name(f"client-{os.getpid()}")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.settimeout(timeout)
            sock.bind(str(own))
            sock.connect(str(path))
            sock.send(pack_request(command))
            return _receive(sock, command)
    except OSError as wrong:
        raise refuse(
            31, str(path), f"does not answer {command!r}", why=str(wrong),
            fix="the kernel hangs or is gone: `lab status`, then `lab kill`",
        ) from wrong  # fmt: skip
    finally:
        own.unlink(missing_ok=True)


def _receive(sock: socket.socket, command: str) -> str:
    text, more = "", True
    while more:
        well, more, part = parse_reply(sock.recv(REPLY.size))
        text += part
        if not well:
            raise OSError(f"{command}: {text}")
    return text
