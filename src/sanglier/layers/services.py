"""systemd units as facts: one ``systemctl show`` for all units of a layer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sanglier.core.action import Script
from sanglier.core.probe import Output, Probe
from sanglier.layers.files import OWED


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """State of a systemd unit, systemctl(1)."""

    active: str = "inactive"
    enabled: str = ""

    @property
    def is_active(self) -> bool:
        """Whether the unit runs (or has run, for a oneshot that remains)."""
        return self.active == "active"

    @property
    def is_enabled(self) -> bool:
        """Whether the unit starts at boot."""
        return self.enabled in {"enabled", "alias", "generated"}


AT_BOOT = f"""
at_boot() {{
    if [ -e {OWED} ]; then systemctl daemon-reload; rm -f {OWED}; fi
    [ "$(systemctl is-enabled -- "$@" 2>/dev/null | grep -cx enabled)" -eq $# ] ||
        SYSTEMCTL_SKIP_SYSV=1 systemctl enable -q --no-reload -- "$@" 2>/dev/null
}}
"""
"""Shell: have units start at boot, and now by the files that are there: a run may have been killed
after it wrote them.  Links in /etc/rc?.d count only for what has no unit; update-rc.d(8), which
would make them wherever there is an LSB script of the name, takes seconds."""

RUNNING = Unit(active="active", enabled="enabled")
STOPPED = Unit(active="inactive", enabled="disabled")
Units = Mapping[str, Unit]


def units_probe(units: tuple[str, ...]) -> Probe:
    """Ask for the states of ``units`` in one process."""
    text = 'systemctl show -p Id,ActiveState,UnitFileState -- "$@" 2>/dev/null; :'
    return Probe(name="units", script=Script(text=text, args=units), part=_part, plain=True)


def _part(text: str, _units: Collection[str], mine: Collection[str]) -> str:
    """Return the blocks of some units."""
    return "\n\n".join(block for block in text.split("\n\n") if _id_of(block) in mine)


def _id_of(block: str) -> str:
    lines = (line for line in block.splitlines() if line.startswith("Id="))
    return next(lines, "Id=").removeprefix("Id=")


def parse_units(output: Output) -> dict[str, Unit]:
    """Parse blocks of ``Key=value`` separated by empty lines."""
    found = {}
    for block in output.text.split("\n\n"):
        values = dict(line.partition("=")[::2] for line in block.splitlines() if "=" in line)
        if "Id" in values:
            found[values["Id"]] = Unit(
                active=values.get("ActiveState", ""), enabled=values.get("UnitFileState", "")
            )
    return found
