"""The mirror: dual-primary DRBD, protocol C."""

from sanglier.layers.base import StackLayer
from sanglier.layers.drbd import probe, status, steps, teardown, timeouts

LAYER = StackLayer(
    name="drbd",
    probes=probe.probes,
    parse=probe.parse,
    propose=steps.propose,
    teardown=teardown.teardown,
    status=status.status,
    in_force=timeouts.in_force,
)
