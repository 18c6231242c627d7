"""A host in a folder whose tools note how they were called."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from layers.root import Root

MIB = 1 << 20
SIZE = 18 * MIB
"""Of the device: longer than what is looked at on either end together."""


@dataclass(frozen=True)
class Host(Root):
    """See the module."""

    @property
    def device(self) -> Path:
        return self.place / "device"

    def noting(self, *names: str, then: str = ":") -> None:
        """Make tools that note their words and then do something."""
        for name in names:
            self.tool(name, f'echo "{name} $*" >> {self.place}/calls\n{then}')

    def calls(self, *names: str) -> list[str]:
        """Every call of these tools (of all, without names), in order."""
        file = self.place / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line for line in lines if not names or line.split()[0] in names]

    def blank_device(self) -> None:
        with self.device.open("wb") as file:
            file.truncate(SIZE)

    def write(self, at: int, data: bytes = b"precious") -> None:
        """Put bytes on the device; negative: from its end."""
        with self.device.open("r+b") as file:
            file.seek(at if at >= 0 else SIZE + at)
            file.write(data)

    @property
    def is_blank(self) -> bool:
        return not any(self.device.read_bytes())

    def takes_devices(self) -> None:
        """Give the tools that look at a device, on a file, and nobody who has it in use."""
        self.blank_device()
        self.tool("blockdev", '[ "$1" != --getsize64 ] || stat -c %s "$2"')
        self.tool("perl", 'shift 4; [ $# -eq 0 ] || exec "$@"')
        self.noting("sleep")

    def step(self, name: str, first: str, after: int, then: str) -> None:
        """Make a tool that says ``first`` so many times, and ``then`` from then on."""
        count = f"{self.place}/count-{name}"
        self.noting(
            name,
            then=f'n=0; [ ! -e {count} ] || read -r n < {count}; echo $((n + 1)) > {count}\n'
            f'if [ "$n" -lt {after} ]; then {first}; else {then}; fi',
        )  # fmt: skip
