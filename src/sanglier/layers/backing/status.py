"""One line per device."""

from __future__ import annotations

from sanglier.core.facts import Facts
from sanglier.core.layer import StatusLine
from sanglier.layers.backing.desired import short_device
from sanglier.layers.backing.facts import BackingFacts, Device, DeviceKind
from sanglier.layers.backing.steps import found_on
from sanglier.layers.base import Goal


def _text(device: Device) -> str:
    if device.kind is not DeviceKind.BLOCK:
        return "no such block device"
    size = f"{device.size / 2**30:.1f} GiB"
    if device.ours:
        return f"{size}, used by the mirror"
    if device.users:
        return f"{size}, in use: " + "; ".join(device.users)
    return f"{size}, blank" if device.blank else f"{size}, {found_on(device)}"


def status(goal: Goal, facts: Facts) -> tuple[StatusLine, ...]:
    """Tell what each device is and holds."""
    return tuple(
        StatusLine(
            host=host,
            layer="backing",
            subject=short_device(path),
            healthy=facts.of(host, BackingFacts).devices[volume.name].ours,
            text=_text(facts.of(host, BackingFacts).devices[volume.name]),
        )
        for volume in goal.cluster.volumes
        for host, path in volume.devices.items()
        if facts.has(host, BackingFacts)
    )
