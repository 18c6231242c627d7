"""Facts of the layers that know timeouts, from the recordings."""

from __future__ import annotations

from sanglier.core.facts import Facts
from sanglier.layers import drbd, initiator, ocfs2

from .goal import APPLICATIONS, GOAL, STORAGE
from .recordings import outputs_of

RECORDED = {drbd.LAYER: STORAGE, initiator.LAYER: APPLICATIONS, ocfs2.LAYER: APPLICATIONS}


def facts_of(case: str) -> Facts:
    """Parse the layers that know timeouts, and nothing else."""
    facts = Facts()
    for layer, hosts in RECORDED.items():
        for host in hosts:
            facts = facts.with_(host, layer.parse(GOAL, host, outputs_of(case, host, layer.name)))
    return facts
