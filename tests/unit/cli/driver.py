"""Run the real command line with toy layers; a process of its own in the tests."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

if sys.argv[1:2] == ["--warm"]:
    from cli import warm

    warm.serve(int(sys.argv[2]))

from run.toy_stack import SECRET, Thing, high, low

from sanglier.core.action import Script
from sanglier.layers import stack

SLOW = Script(text='echo "slow with $2"; sleep "$1"', args=(os.environ.get("SLOW", "0"), SECRET))
BAD = Script(text="echo broken; exit 3")
things = [
    Thing(host="disk-a", name="same"),
    Thing(host="disk-b", name="same"),
    Thing(host="disk-a", name="slow", phase=1, actions=(SLOW,)),
    Thing(host="disk-b", name="last", phase=2),
]
if "WIPE" in os.environ:
    things.append(Thing(host="disk-b", name="wiped", consent="wipe:disk-b/vdb"))
if "BAD" in os.environ:
    things.append(Thing(host="disk-b", name="bad", actions=(BAD,)))
stack.LAYERS = (low(*things), high(Thing(host="srv-a", name="top")))

from sanglier.cli.main import main  # noqa: E402

# A shell that runs the tests in the background has them ignore ^C.
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
