"""The arbiter: Corosync, Pacemaker, fencing; which side of a volume is open."""

from sanglier.layers.base import StackLayer
from sanglier.layers.cluster import probe, status, steps, teardown, timeouts

LAYER = StackLayer(
    name="cluster",
    probes=probe.probes,
    parse=probe.parse,
    propose=steps.propose,
    teardown=teardown.teardown,
    status=status.status,
    in_force=timeouts.in_force,
)
