"""Pacemaker's configuration of the cluster, as the XML that crm_mon and cibadmin(8) know.

Per volume VOL: the clone ``VOL-mirror`` (DRBD, promoted on both servers), the clone
``VOL-target`` (the iSCSI target, in standby) and ``VOL-open``, which runs on exactly one server.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element, SubElement

from sanglier.spec.budget import on_s
from sanglier.spec.cluster import Cluster, FenceDevice, StorageServer, Timings, Volume

ALERT = "/usr/lib/sanglier/node-alert"
PREFER = "50"
STICKINESS = "100"
"""More than PREFER: a side that moved stays until somebody moves it back (`sanglier move`)."""
PROMOTED_WHERE_UP_TO_DATE = "0 0 0 10000"
"""Scores of ocf:linbit:drbd for: only consistent data; only the peer's; up to date, but Secondary
and the peer unknown; up to date, and Primary or the peer known (connected, or outdated).  The third
is 0: a Secondary may have been resynced just before its Primary went on alone (M1 of the model)."""
SLOW_LOOK = "60s"
"""What DRBD's monitor may take, a program of dozens of forks: on a busy server it took more than
30 s, and was the only thing that failed.  What waits for an answer looks for itself, much sooner:
the side's monitor, DRBD's own timeouts, the target's."""
LOOK_S = 20
"""What the look at a fence device may take at least."""
Form = tuple[str, tuple[tuple[str, str], ...], tuple["Form", ...]]
"""An element without what does not matter: name, sorted attributes, children."""


def mirror(volume: Volume) -> str:
    """Id of the clone of DRBD."""
    return f"{volume.name}-mirror"


def drbd(volume: Volume) -> str:
    """Id of DRBD's resource inside the clone."""
    return f"{volume.name}-drbd"


def lun(volume: Volume) -> str:
    """Id of the target's resource inside the clone."""
    return f"{volume.name}-lun"


def target(volume: Volume) -> str:
    """Id of the clone of targets."""
    return f"{volume.name}-target"


def side(volume: Volume) -> str:
    """Id of the resource that means "this side is open"."""
    return f"{volume.name}-open"


def device_id(server: StorageServer, device: FenceDevice) -> str:
    """Id of a fence device; with a dot, which no name of a server has."""
    position = f".{device.position}" if device.position > 1 else ""
    return f"fence-{server.name}-{device.level}{position}"


def password_path(server: StorageServer, device: FenceDevice) -> str:
    """Path of the script that prints a fence device's password, fence agents' password_script."""
    return f"/etc/sanglier/fence/{device_id(server, device)}"


def _values(parent: Element, kind: str, identity: str, values: Mapping[str, str]) -> None:
    block = SubElement(parent, kind, id=identity)
    for name, value in values.items():
        SubElement(block, "nvpair", id=f"{identity}-{name}", name=name, value=value)


def _operation(
    parent: Element, owner: str, name: str, interval: str, timeout: str, role: str = ""
) -> None:
    identity = "-".join(part for part in (owner, name, role, interval) if part)
    values = {"id": identity, "name": name, "interval": interval, "timeout": timeout}
    SubElement(parent, "op", values | ({"role": role} if role else {}))


def _agent(parent: Element, identity: str, provider: str, kind: str, parameters: Mapping[str, str],
           ) -> Element:  # fmt: skip
    primitive = SubElement(
        parent, "primitive", {"id": identity, "class": "ocf", "provider": provider, "type": kind}
    )
    _values(primitive, "instance_attributes", f"{identity}-parameters", parameters)
    return primitive


def _mirror(resources: Element, volume: Volume) -> None:
    """DRBD: never promoted without up-to-date local data (adjust_master_score of its agent).

    Without notifications: its monitor keeps the scores, and each notification would hold up a
    failover by a run of the agent on every server.
    """
    clone = SubElement(resources, "clone", id=mirror(volume))
    _values(clone, "meta_attributes", f"{mirror(volume)}-meta", {
        "promotable": "true", "promoted-max": "2", "promoted-node-max": "1",
        "clone-max": "2", "clone-node-max": "1", "notify": "false", "interleave": "true",
    })  # fmt: skip
    identity = drbd(volume)
    parameters = {
        "drbd_resource": volume.name,
        "adjust_master_score": PROMOTED_WHERE_UP_TO_DATE,
        "ignore_missing_notifications": "true",
    }
    primitive = _agent(clone, identity, "linbit", "drbd", parameters)
    operations = SubElement(primitive, "operations")
    _operation(operations, identity, "start", "0s", "240s")
    _operation(operations, identity, "promote", "0s", "120s")
    _operation(operations, identity, "demote", "0s", "90s")
    _operation(operations, identity, "stop", "0s", "100s")
    _operation(operations, identity, "monitor", "29s", SLOW_LOOK, role="Promoted")
    _operation(operations, identity, "monitor", "10s", SLOW_LOOK, role="Unpromoted")


def _target(resources: Element, volume: Volume) -> None:
    clone = SubElement(resources, "clone", id=target(volume))
    _values(clone, "meta_attributes", f"{target(volume)}-meta", {"interleave": "true"})
    identity = lun(volume)
    primitive = _agent(clone, identity, "sanglier", "target", {"volume": volume.name})
    operations = SubElement(primitive, "operations")
    _operation(operations, identity, "start", "0s", "60s")
    _operation(operations, identity, "stop", "0s", "60s")
    _operation(operations, identity, "monitor", "10s", "20s")


def _side(resources: Element, volume: Volume) -> None:
    """Shutting that fails or hangs ends in a fencing of the server: Pacemaker's default.

    Where it must be shut its monitor looks as well, and shuts a side that somebody opened.
    """
    identity = side(volume)
    parameters = {"volume": volume.name, "minor": str(volume.minor)}
    primitive = _agent(resources, identity, "sanglier", "side", parameters)
    _values(primitive, "meta_attributes", f"{identity}-meta", {
        "priority": "10", "resource-stickiness": STICKINESS, "migration-threshold": "1",
    })  # fmt: skip
    operations = SubElement(primitive, "operations")
    _operation(operations, identity, "start", "0s", "60s")
    _operation(operations, identity, "stop", "0s", "20s")
    _operation(operations, identity, "monitor", "5s", "10s")
    _operation(operations, identity, "monitor", "6s", "10s", role="Stopped")


def fence_timeouts(timings: Timings) -> dict[str, str]:
    """Give the time within which a kill must be confirmed, pacemaker-fenced(7)."""
    return dict.fromkeys(("pcmk_reboot_timeout", "pcmk_off_timeout"), f"{timings.fence_s}s")


def _on_timeout(timings: Timings, level: tuple[FenceDevice, ...]) -> dict[str, str]:
    """Give the time for the "on" that Pacemaker makes of a reboot by several devices."""
    return {"pcmk_on_timeout": f"{on_s(timings, len(level))}s"} if len(level) > 1 else {}


def _fence(
    resources: Element,
    server: StorageServer,
    device: FenceDevice,
    level: tuple[FenceDevice, ...],
    timings: Timings,
) -> None:
    """Try a device that does not answer at most once in two minutes: each try holds up the rest.

    The look at one that runs may be slow, as management controllers are, and as slow as a kill may
    be: it holds up nothing, for a device does any number of things at once.  Pacemaker would have
    it do one, and a kill would wait for the look to end and lose that time of its own
    (pacemaker-fenced(7), pcmk_action_limit).
    """
    identity, look = device_id(server, device), f"{max(LOOK_S, timings.fence_s)}s"
    primitive = SubElement(
        resources, "primitive", {"id": identity, "class": "stonith", "type": device.agent}
    )
    _values(primitive, "instance_attributes", f"{identity}-parameters", {
        **dict(device.parameters),
        **({} if device.no_password else {"password_script": password_path(server, device)}),
        "pcmk_host_list": server.hostname,
        **fence_timeouts(timings),
        **_on_timeout(timings, level),
        "pcmk_monitor_timeout": look,
        "pcmk_action_limit": "-1",
    })  # fmt: skip
    _values(primitive, "meta_attributes", f"{identity}-meta", {
        "migration-threshold": "1", "failure-timeout": "120s",
    })  # fmt: skip
    operations = SubElement(primitive, "operations")
    _operation(operations, identity, "start", "0s", "10s")
    _operation(operations, identity, "monitor", "60s", look)


def _resources(parent: Element, cluster: Cluster) -> None:
    resources = SubElement(parent, "resources")
    for server in cluster.storage:
        for level in server.fence_levels:
            for device in level:
                _fence(resources, server, device, level, cluster.timings)
    for volume in cluster.volumes:
        _mirror(resources, volume)
        _target(resources, volume)
        _side(resources, volume)


def _rules(constraints: Element, cluster: Cluster, volume: Volume) -> None:
    name = volume.name
    SubElement(constraints, "rsc_order", {
        "id": f"{name}-promote-then-target", "first": mirror(volume), "first-action": "promote",
        "then": target(volume), "then-action": "start",
    })  # fmt: skip
    SubElement(constraints, "rsc_colocation", {
        "id": f"{name}-target-where-promoted", "rsc": target(volume), "score": "INFINITY",
        "with-rsc": mirror(volume), "with-rsc-role": "Promoted",
    })  # fmt: skip
    SubElement(constraints, "rsc_order", {
        "id": f"{name}-target-then-open", "first": target(volume), "then": side(volume),
    })  # fmt: skip
    SubElement(constraints, "rsc_colocation", {
        "id": f"{name}-open-where-target", "rsc": side(volume), "score": "INFINITY",
        "with-rsc": target(volume),
    })  # fmt: skip
    preferred = next(s for s in cluster.storage if s.name == volume.prefer)
    SubElement(constraints, "rsc_location", {
        "id": f"{name}-prefers", "rsc": side(volume), "node": preferred.hostname,
        "score": PREFER,
    })  # fmt: skip


def _constraints(parent: Element, cluster: Cluster) -> None:
    constraints = SubElement(parent, "constraints")
    for server in cluster.storage:
        for device in server.fence:
            SubElement(constraints, "rsc_location", {
                "id": f"{device_id(server, device)}-not-on-itself", "node": server.hostname,
                "rsc": device_id(server, device), "score": "-INFINITY",
            })  # fmt: skip
    for volume in cluster.volumes:
        _rules(constraints, cluster, volume)


def _topology(parent: Element, cluster: Cluster) -> None:
    """All devices of a level must succeed: it makes "off" of each, then "on", of a reboot."""
    levels = SubElement(parent, "fencing-topology")
    for server in cluster.storage:
        for level in server.fence_levels:
            devices = [device_id(server, device) for device in level]
            SubElement(levels, "fencing-level", {
                "id": f"level-{devices[0]}", "target": server.hostname,
                "index": str(level[0].level), "devices": ",".join(devices),
            })  # fmt: skip


def configuration(cluster: Cluster) -> Element:
    """Build the configuration section; the nodes are left to the cluster itself.

    ``no-quorum-policy=freeze``: a server that lost quorum keeps what runs (it is about to be
    killed by the other, or DRBD holds its I/O), and starts nothing.  ``fence-reaction=panic``: a
    server that hears of its own death, and lives, resets itself, and so makes the word true.
    """
    root = Element("configuration")
    _values(SubElement(root, "crm_config"), "cluster_property_set", "cib-bootstrap-options", {
        "stonith-enabled": "true",
        "no-quorum-policy": "freeze",
        "fence-reaction": "panic",
        "start-failure-is-fatal": "false",
        "cluster-recheck-interval": "30s",
        "dc-deadtime": "10s",
    })  # fmt: skip
    SubElement(root, "nodes")
    _resources(root, cluster)
    _constraints(root, cluster)
    _topology(root, cluster)
    alerts = SubElement(root, "alerts")
    alert = SubElement(alerts, "alert", id="node-alert", path=ALERT)
    select = SubElement(alert, "select")
    SubElement(select, "select_nodes")
    SubElement(select, "select_fencing")
    defaults = SubElement(root, "rsc_defaults")
    _values(defaults, "meta_attributes", "rsc-options", {"failure-timeout": "30s"})
    return root


def as_text(element: Element) -> str:
    """Write an element as indented text."""
    ET.indent(element)
    return ET.tostring(element, encoding="unicode") + "\n"


OWN_PROPERTIES = frozenset(
    {
        "have-watchdog", "dc-version", "cluster-infrastructure", "cluster-name",
        "last-lrm-refresh", "last-fencing",
    }
)  # fmt: skip
"""Properties that Pacemaker writes by itself."""


def _matters(element: Element) -> bool:
    if element.tag == "nvpair" and element.get("name") in OWN_PROPERTIES:
        return False
    if element.tag == "rsc_location" and str(element.get("id", "")).startswith("cli-"):
        return False
    return element.tag not in {"nodes", "op_defaults", "status", "acls", "tags"}


def form(element: Element) -> Form:
    """Reduce an element to what matters when two configurations are compared."""
    children = _ordered(form(child) for child in element if _matters(child))
    return (element.tag, tuple(sorted(element.attrib.items())), children)


def _ordered(forms: Iterable[Form]) -> tuple[Form, ...]:
    return tuple(sorted(forms))


def parse_form(text: str) -> Form | None:
    """Read the form of a configuration from XML text; ``None`` when it is none."""
    try:
        return form(ET.fromstring(text))
    except ET.ParseError:
        return None


def differences(wanted: Form, found: Form) -> tuple[str, ...]:
    """Name the objects that are missing, too many or other, by their ids."""
    ours, theirs = _by_id(wanted), _by_id(found)
    missing = [f"{key} is missing" for key in ours if key not in theirs]
    strange = [f"{key} is not of the cluster's file" for key in theirs if key not in ours]
    other = [f"{key} is changed" for key in ours if key in theirs and ours[key] != theirs[key]]
    return (*missing, *strange, *other)


def parameters(root: Form, identity: str) -> Mapping[str, str]:
    """Give the instance attributes of a resource as it is loaded; empty when there is none."""
    resource = _by_id(root).get(identity)
    parts = resource[2] if resource else ()
    blocks = (nested for tag, _, nested in parts if tag == "instance_attributes")
    pairs = (dict(attributes) for block in blocks for _, attributes, _ in block)
    return {pair.get("name", ""): pair.get("value", "") for pair in pairs}


def _by_id(root: Form) -> dict[str, Form]:
    """Index resources, constraints, levels and property sets: the children of the sections."""
    found = {}
    for _, _, children in root[2]:
        for child in children:
            attributes = dict(child[1])
            found[attributes.get("id", child[0])] = child
    return found
