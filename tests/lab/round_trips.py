"""Round trips between two hosts of a lab, timed inside the one that asks."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from sanglier.lab.control import Lab

ECHO = """
import socket, sys
server = socket.create_server((sys.argv[1], 7007))
print("ready", flush=True)
peer, _ = server.accept()
peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
while word := peer.recv(200):
    peer.sendall(word)
"""

ASK = """
import json, socket, sys, time
peer = socket.create_connection((sys.argv[1], 7007))
peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
took = []
for _ in range(int(sys.argv[2])):
    began, got = time.perf_counter(), 0
    peer.sendall(bytes(200))
    while got < 200:
        got += len(peer.recv(200))
    took.append(1e3 * (time.perf_counter() - began))
took.sort()
print(json.dumps({"median": took[len(took) // 2], "p99": took[len(took) * 99 // 100],
    "longest": took[-5:], "late": sum(each > 50 for each in took),
    "lost": sum(each > 150 for each in took)}))
"""


def ping_pong(lab: Lab, asker: str, answerer: str, address: str, rounds: int) -> dict[str, Any]:
    """Send 200 bytes and wait for them to come back, ``rounds`` times; times in milliseconds."""
    argv = ("ssh", "-F", lab.ssh_config, answerer, "python3", "-", address)
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as echo:
        assert echo.stdin is not None and echo.stdout is not None
        echo.stdin.write(ECHO)
        echo.stdin.close()
        assert echo.stdout.readline() == "ready\n"
        done = lab.run(asker, "python3", "-", address, str(rounds), text=ASK, timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found
