"""One map per volume over all its paths: DM-Multipath."""

from sanglier.layers.base import StackLayer
from sanglier.layers.multipath import probe, status, steps, teardown, timeouts

LAYER = StackLayer(
    name="multipath",
    probes=probe.probes,
    parse=probe.parse,
    propose=steps.propose,
    teardown=teardown.teardown,
    status=status.status,
    in_force=timeouts.in_force,
)
