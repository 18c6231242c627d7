"""What Debian ships and the kernel can load."""

from sanglier.layers.base import StackLayer
from sanglier.layers.packages import probe, status, steps, teardown

LAYER = StackLayer(
    name="packages",
    probes=probe.probes,
    parse=probe.parse,
    propose=steps.propose,
    teardown=teardown.teardown,
    status=status.status,
)
