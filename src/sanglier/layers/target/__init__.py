"""The iSCSI exports: LIO through configfs."""

from sanglier.layers.base import StackLayer
from sanglier.layers.target import probe, status, steps, teardown

LAYER = StackLayer(
    name="target",
    probes=probe.probes,
    parse=probe.parse,
    propose=steps.propose,
    teardown=teardown.teardown,
    status=status.status,
)
