"""Events as they happen, for people; on a terminal also what is under way."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from rich.console import Console
from rich.live import Live
from rich.text import Text

from sanglier.cli.console import counted
from sanglier.core.events import Event, Gathered, LayerStarted, Outcome, StepEnded, StepStarted


@dataclass(slots=True)
class Progress:
    """A sink that shows what happens as it happens; on a terminal also what is under way."""

    console: Console
    width: int = 8
    _running: dict[str, StepStarted] = field(default_factory=dict)
    _since: dict[str, float] = field(default_factory=dict)
    _skipped: Counter[str] = field(default_factory=Counter)
    _live: Live | None = None

    def __enter__(self) -> Progress:
        if self.console.is_terminal:
            self._live = Live(
                get_renderable=self._under_way,
                console=self.console,
                refresh_per_second=4,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
        for because, number in self._skipped.items():
            self.console.print(
                Text(f"{counted(number, 'step')} skipped, because {because}", style="yellow")
            )

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case Gathered(host=host, error=error) if error:
                self.console.print(Text(f"  {host}: no answer [{error}]", style="red"))
            case LayerStarted(layer=layer, steps=steps) if steps:
                self.console.print(Text(f"{layer} ({counted(steps, 'step')})", style="bold"))
            case StepStarted(host=host):
                self._running[host], self._since[host] = event, time.monotonic()
            case StepEnded(outcome=Outcome.SKIPPED, because=because):
                self._skipped[because] += 1
            case StepEnded():
                self._running.pop(event.host, None)
                self.console.print(self._ended(event))

    def _ended(self, event: StepEnded) -> Text:
        good = event.outcome is Outcome.DONE
        line = Text(f"  {event.host:<{self.width}}  ")
        line.append(
            f"{'✓' if good else '✗'} {event.summary}", style="green" if good else "bold red"
        )
        return line.append(f"  {event.seconds:.1f} s", style="dim")

    def _under_way(self) -> Text:
        now = time.monotonic()
        lines = [
            f"  {host:<{self.width}}  … {event.summary}  {now - self._since[host]:.0f} s"
            for host, event in sorted(self._running.items())
        ]
        return Text("\n".join(lines), style="cyan", no_wrap=True, overflow="ellipsis")
