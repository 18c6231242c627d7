"""Numbers and names in force: read from wherever they are, kept, never changed."""

from sanglier.layers.base import StackLayer
from sanglier.layers.numbers import probe, status, steps, teardown

LAYER = StackLayer(
    name="numbers",
    probes=probe.probes,
    parse=probe.parse,
    propose=steps.propose,
    teardown=teardown.teardown,
    status=status.status,
)
