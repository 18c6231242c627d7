"""Traces a child and prints what ptrace(2) did, as JSON; test_lab_preload.py runs it.

`ptrace` is whatever stands in this process: glibc's, or what is preloaded.  `raw` is the kernel's.
Registers are judged by the kernel's own words, with a buffer that is wide enough for all of them.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from ctypes import c_char_p, c_int, c_long, c_size_t, c_void_p

TRACEME, PEEKDATA, PEEKUSER, POKEDATA, GETREGSET, SETREGSET = 0, 2, 3, 5, 0x4204, 0x4205
SYS_PTRACE = 101
NT_PRSTATUS, NT_X86_XSTATE = 1, 0x202
XMM, SOFTWARE, HEADER, EXTENDED, AVX_END = slice(160, 416), 464, 512, 576, 832
ROOM = 1 << 16
"""More than any machine's area."""

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = libc.syscall.restype = c_long
minus_one, word = c_long(-1), c_long(0x1122334455667788)


class Vector(ctypes.Structure):
    """A struct iovec."""

    _fields_ = (("base", c_char_p), ("length", c_size_t))


def ptrace(request: int, pid: int, address: int, data: object = None) -> tuple[int, int]:
    """Call what stands in this process; gives its result and errno."""
    ctypes.set_errno(99)
    result = libc.ptrace(c_int(request), c_int(pid), c_void_p(address), data)
    return result, ctypes.get_errno()


def raw(request: int, pid: int, address: int, data: object = None) -> tuple[int, int]:
    """Ask the kernel."""
    ctypes.set_errno(0)
    result = libc.syscall(c_long(SYS_PTRACE), c_long(request), c_long(pid), c_void_p(address), data)
    return result, ctypes.get_errno()


def get(call: object, pid: int, size: int, kind: int = NT_X86_XSTATE) -> bytes:
    """Read registers into a buffer of ``size`` bytes; empty if that fails."""
    buffer = ctypes.create_string_buffer(size)
    vector = Vector(ctypes.cast(buffer, c_char_p), size)
    assert callable(call)
    result, _ = call(GETREGSET, pid, kind, ctypes.byref(vector))
    return buffer.raw[: vector.length] if result == 0 else b""


def put(call: object, pid: int, data: bytes) -> int:
    """Set registers; gives errno, or 0."""
    buffer = ctypes.create_string_buffer(data, len(data))
    vector = Vector(ctypes.cast(buffer, c_char_p), len(data))
    assert callable(call)
    result, error = call(SETREGSET, pid, NT_X86_XSTATE, ctypes.byref(vector))
    return error if result else 0


def quad(area: bytes, at: int) -> int:
    """Read eight bytes as a number."""
    return int.from_bytes(area[at : at + 8], "little")


def marked(area: bytes, byte: int, size: int) -> bytes:
    """Fill SSE registers and all beyond the header of the first ``size`` bytes."""
    new = bytearray(area[:size])
    new[XMM] = bytes([byte]) * (XMM.stop - XMM.start)
    new[EXTENDED:] = bytes([byte]) * (size - EXTENDED)
    new[HEADER : HEADER + 8] = area[SOFTWARE : SOFTWARE + 8]  # XSTATE_BV: all that XCR0 has
    return bytes(new)


def registers(pid: int, size: int) -> dict[str, object]:
    """Fill every register, then read and set through a buffer of ``size`` bytes."""
    first = get(raw, pid, ROOM)
    filled = put(raw, pid, marked(first, 0x11, len(first)))
    before = get(raw, pid, ROOM)
    refused = put(raw, pid, before[:size])
    handed = get(ptrace, pid, size)
    wanted = marked(handed, 0x22, size)
    status = put(ptrace, pid, wanted)
    after = get(raw, pid, ROOM)
    return {
        "whole": len(first), "filled": filled, "refused": refused, "status": status,
        "beyond_before": any(before[size:]), "beyond_after": any(after[size:]),
        "handed": handed == before[:size], "kept_sse": after[XMM] == wanted[XMM],
        "kept_avx": after[EXTENDED : min(size, AVX_END)] == wanted[EXTENDED:AVX_END],
        "present": quad(after, HEADER), "whole_handed": get(ptrace, pid, ROOM) == after,
        "whole_set": put(ptrace, pid, before), "whole_kept": get(raw, pid, ROOM) == before,
    }  # fmt: skip


def words(pid: int) -> dict[str, object]:
    """Peek, poke and fail."""
    here, there = ctypes.addressof(word), ctypes.addressof(minus_one)
    return {
        "peek": ptrace(PEEKDATA, pid, here), "peek_minus_one": ptrace(PEEKDATA, pid, there),
        "peek_nowhere": ptrace(PEEKDATA, pid, 8), "peek_user": ptrace(PEEKUSER, pid, 0)[1],
        "poke": ptrace(POKEDATA, pid, here, c_void_p(7))[0], "poked": ptrace(PEEKDATA, pid, here),
        "stranger": put(ptrace, 1, bytes(EXTENDED)), "short": put(ptrace, pid, bytes(8)),
        "integers": len(get(ptrace, pid, ROOM, NT_PRSTATUS)), "area": len(get(raw, pid, ROOM)),
    }  # fmt: skip


def main() -> None:
    """Trace a child that stops at once and never goes on."""
    child = os.fork()
    if child == 0:
        ptrace(TRACEME, 0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(0)
    os.waitpid(child, 0)
    try:
        size = int(sys.argv[1])
        json.dump(registers(child, size) if size else words(child), sys.stdout)
    finally:
        os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    main()
