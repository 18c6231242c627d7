"""Unmount, take o2cb offline, remove our files; the filesystem itself stays."""

from __future__ import annotations

from dataclasses import replace

from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.core.step import Step
from sanglier.layers.base import Goal
from sanglier.layers.files import HEADER, WantedFile, differs, remove_step
from sanglier.layers.ocfs2 import moves
from sanglier.layers.ocfs2.desired import FORMER_PATHS, files_of, is_former, unit_name
from sanglier.layers.ocfs2.facts import Ocfs2Facts
from sanglier.layers.services import Unit


def _remove(host: str, wanted: WantedFile) -> Step:
    def alter(facts: Ocfs2Facts) -> Ocfs2Facts:
        files = {path: state for path, state in facts.files.items() if path != wanted.path}
        return replace(facts, files=files)

    subject = wanted.path.rsplit("/", 1)[-1]
    address = Address(host=host, layer="ocfs2", subject=subject)
    return remove_step(address, wanted.path, moves.change(host, alter), phase=2)


def _is_ours(goal: Goal, wanted: WantedFile, now: Ocfs2Facts) -> bool:
    """Whether a file was written by us."""
    state = now.files.get(wanted.path)
    if state is None:
        return False
    text = state.text or ""
    named = f"\tname = {goal.cluster.name}\n" in text or "/sanglier/" in wanted.path
    return not differs(wanted, now.files) or text.startswith(HEADER) or named


def _host(goal: Goal, host: str, now: Ocfs2Facts) -> tuple[Step, ...]:
    steps = []
    for volume in goal.cluster.volumes:
        unit = now.units.get(unit_name(volume.mount), Unit())
        mount = now.mounts.get(volume.mount)
        ours = mount is not None and mount.source == volume.map_device
        if ours or unit.is_enabled:
            steps.append(moves.unmount(host, volume))
    if now.cluster_values or now.o2cb_at_boot:
        steps.append(moves.stop_o2cb(host))
    steps += [_remove(host, f) for f in files_of(goal.cluster) if _is_ours(goal, f, now)]
    steps += [
        moves.remove_former(host, path) for path in FORMER_PATHS if is_former(path, now.files)
    ]
    return tuple(steps)


def teardown(goal: Goal, facts: Facts) -> Proposal:
    """Take the filesystem off every application server."""
    steps = [
        step
        for server in goal.cluster.applications
        if facts.has(server.name, Ocfs2Facts)
        for step in _host(goal, server.name, facts.of(server.name, Ocfs2Facts))
    ]
    return Proposal(steps=tuple(steps))
