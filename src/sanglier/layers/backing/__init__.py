"""The disks under the mirror: there, big enough, unused, blank or consented."""

from sanglier.layers.backing import probe, status, steps, teardown
from sanglier.layers.base import StackLayer

LAYER = StackLayer(
    name="backing",
    probes=probe.probes,
    parse=probe.parse,
    propose=steps.propose,
    teardown=teardown.teardown,
    status=status.status,
)
