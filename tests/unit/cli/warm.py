"""Fork the command line from a process that has imported what is slow to import.

Each run is a process of its own with its own streams, environment and session;
only the start of the interpreter is shared.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TypedDict

SLOW = ("typer", "rich.console", "pydantic", "asyncio", "sanglier.spec.load", "run.toy_stack",
        "sanglier.run.apply", "sanglier.run.ssh", "sanglier.lab.life")  # fmt: skip
"""Nothing that takes the stack's layers with it: the driver replaces them."""
DRIVER = Path(__file__).with_name("driver.py")


class Request(TypedDict):
    """What a run of its own is to be."""

    words: list[str]
    environment: dict[str, str]


def serve(descriptor: int) -> None:
    """Fork for every request; returns in the forked process, ends with the connection."""
    for name in SLOW:
        import_module(name)
    channel = socket.socket(fileno=descriptor)
    while True:
        message, streams, _, _ = socket.recv_fds(channel, 1 << 16, 3)
        if not message:
            raise SystemExit
        pid = os.fork()
        if pid == 0:
            channel.close()
            _become(json.loads(message), streams)
            return
        for stream in streams:
            os.close(stream)
        channel.send(str(pid).encode())
        channel.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())


def _become(request: Request, streams: list[int]) -> None:
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
    sys.argv[1:] = request["words"]
    os.environ.clear()
    os.environ.update(request["environment"])


class Warm:
    """The process that waits, from the side of the tests."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel = ours
        self._process = subprocess.Popen(
            [sys.executable, str(DRIVER), "--warm", str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
        )
        theirs.close()

    def run(
        self, words: tuple[str, ...], environment: dict[str, str], limit: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run to the end."""
        request = json.dumps({"words": words, "environment": environment}).encode()
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        null = os.open(os.devnull, os.O_RDONLY)
        socket.send_fds(self._channel, [request], [null, out_end, err_end])
        for descriptor in (null, out_end, err_end):
            os.close(descriptor)
        self._channel.settimeout(limit)
        pid = int(self._channel.recv(64))
        try:
            told = _read_both(out, err, limit)
            status = int(self._channel.recv(64))
        except TimeoutError:
            os.kill(pid, 9)
            raise
        return subprocess.CompletedProcess(words, status, *told)

    def end(self) -> None:
        """Let it go."""
        self._channel.close()
        self._process.wait(timeout=30)


def _read_both(out: int, err: int, limit: float) -> tuple[str, str]:
    """Read two pipes to their ends."""
    told: dict[int, bytes] = {out: b"", err: b""}
    deadline = time.monotonic() + limit
    with selectors.DefaultSelector() as selector:
        for pipe in told:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(deadline - time.monotonic())
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                piece = os.read(key.fd, 1 << 16)
                told[key.fd] += piece
                if not piece:
                    selector.unregister(key.fd)
                    os.close(key.fd)
    return told[out].decode(), told[err].decode()
