"""The iSCSI logins: open-iscsi."""

from sanglier.layers.base import StackLayer
from sanglier.layers.initiator import probe, status, steps, teardown, timeouts

LAYER = StackLayer(
    name="initiator",
    probes=probe.probes,
    parse=probe.parse,
    propose=steps.propose,
    teardown=teardown.teardown,
    status=status.status,
    in_force=timeouts.in_force,
)
