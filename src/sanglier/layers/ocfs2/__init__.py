"""The shared filesystem: o2cb, OCFS2 and its mount."""

from sanglier.layers.base import StackLayer
from sanglier.layers.ocfs2 import probe, status, steps, teardown, timeouts

LAYER = StackLayer(
    name="ocfs2",
    probes=probe.probes,
    parse=probe.parse,
    propose=steps.propose,
    teardown=teardown.teardown,
    status=status.status,
    in_force=timeouts.in_force,
)
