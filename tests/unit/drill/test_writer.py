"""The writer's own Perl, run here: records, acknowledgements, and the stop."""

from __future__ import annotations

import subprocess
from pathlib import Path

from sanglier.core.action import Script
from sanglier.core.shell import render
from sanglier.drill.appends import RECORD_BYTES, WRITER
from sanglier.drill.checkers import check_appends
from sanglier.drill.history import Ack, History
from sanglier.drill.result import Verdict


def test_every_acknowledged_record_is_in_the_file_and_a_word_stops_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    script = render(Script(text=WRITER, args=(str(path), "srv-a")), reveal=False)
    with subprocess.Popen(
        ("sh", "-c", script), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout
        assert run.stdin
        acks = [run.stdout.readline() for _ in range(20)]
        run.stdin.write("stop\n")
        run.stdin.flush()
        rest = run.stdout.read().splitlines()
    numbers = [int(line.split()[1]) for line in (*acks, *rest[:-1])]
    assert rest[-1] == "stopped"
    assert numbers == list(range(1, len(numbers) + 1))
    assert path.stat().st_size == RECORD_BYTES * len(numbers)
    history = History(writer="srv-a", acks=tuple(Ack(number=n, at_s=float(n)) for n in numbers))
    assert check_appends(history, "here", path.read_text()).verdict is Verdict.VALID
