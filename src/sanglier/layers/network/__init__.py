"""Names, addresses, reachability, MTU and clocks: read, never changed."""

from sanglier.layers.base import StackLayer
from sanglier.layers.network import probe, status, steps, teardown

LAYER = StackLayer(
    name="network",
    probes=probe.probes,
    parse=probe.parse,
    propose=steps.propose,
    teardown=teardown.teardown,
    status=status.status,
)
