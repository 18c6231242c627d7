"""corosync.conf(5): two storage servers, two links, a quorum device on the witness."""

from __future__ import annotations

from sanglier.core.secret import Secret
from sanglier.layers.base import Goal
from sanglier.layers.files import HEADER, WantedFile
from sanglier.spec.cluster import Cluster, StorageServer

CONF = "/etc/corosync/corosync.conf"
AUTHKEY = "/etc/corosync/authkey"


def node_id(server: StorageServer) -> int:
    """Corosync's number of a server; the first of the file wins a tie at the witness."""
    return server.index + 1


def _node(server: StorageServer) -> str:
    return f"""    node {{
        name: {server.hostname}
        nodeid: {node_id(server)}
        ring0_addr: {server.replication}
        ring1_addr: {server.management}
    }}
"""


def _totem(cluster: Cluster) -> str:
    timings = cluster.timings
    return f"""totem {{
    version: 2
    cluster_name: {cluster.name}
    transport: knet
    link_mode: passive
    crypto_cipher: aes256
    crypto_hash: sha256
    token: {timings.corosync_token_ms}
    consensus: {timings.corosync_consensus_ms}
}}
"""


def _quorum(cluster: Cluster) -> str:
    timings = cluster.timings
    assert cluster.witness is not None
    return f"""quorum {{
    provider: corosync_votequorum
    device {{
        model: net
        votes: 1
        timeout: {timings.qdevice_timeout_ms}
        sync_timeout: {timings.qdevice_sync_timeout_ms}
        net {{
            host: {cluster.witness.address}
            algorithm: ffsplit
            tie_breaker: lowest
            tls: required
        }}
    }}
}}
"""


LOGGING = """logging {
    to_stderr: no
    to_logfile: no
    to_syslog: yes
}
"""


def conf_file(goal: Goal) -> WantedFile:
    """Build corosync.conf, the same on both servers."""
    cluster = goal.cluster
    nodes = "".join(_node(server) for server in cluster.storage)
    content = HEADER + _totem(cluster) + f"nodelist {{\n{nodes}}}\n" + _quorum(cluster) + LOGGING
    return WantedFile(path=CONF, content=content)


def authkey_file(goal: Goal) -> WantedFile:
    """Give the key by which the two authenticate and encrypt each other's words, corosync(8)."""
    return WantedFile(
        path=AUTHKEY, content=Secret(goal.secrets.corosync.reveal() + "\n"), mode=0o400
    )


def checked_values(cluster: Cluster) -> dict[str, str]:
    """Values in force that must equal the file's, by their names in corosync-cmapctl(8)."""
    timings = cluster.timings
    return {
        "runtime.config.totem.token": str(timings.corosync_token_ms),
        "runtime.config.totem.consensus": str(timings.corosync_consensus_ms),
        "quorum.device.timeout": str(timings.qdevice_timeout_ms),
        "quorum.device.sync_timeout": str(timings.qdevice_sync_timeout_ms),
    }
