"""Which of Debian's packages a fence agent needs, beside the one that holds it.

The holder only recommends what they call (Debian 12), or forgets it (a few of Debian 13's).
``scripts/fence-packages`` compares this with the agents' own text in Debian's archive.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

NEEDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "amtterm": ("fence_amt",),
        "gnutls-bin": ("fence_ilo", "fence_ilo2"),
        "inetutils-telnet": (
            "fence_apc", "fence_bladecenter", "fence_cdu", "fence_drac", "fence_drac5",
            "fence_hds_cb", "fence_hpblade", "fence_ilo3_ssh", "fence_ilo4_ssh", "fence_ilo5_ssh",
            "fence_ilo_mp", "fence_ilo_ssh", "fence_netio", "fence_raritan", "fence_raritan_px3",
            "fence_rsa", "fence_rsb", "fence_wti",
        ),
        "ipmitool": (
            "fence_idrac", "fence_ilo3", "fence_ilo4", "fence_ilo5", "fence_imm", "fence_ipmilan",
            "fence_ipmilanplus",
        ),
        "openssh-client": (
            "fence_alom", "fence_apc", "fence_bladecenter", "fence_cyberpower_ssh", "fence_drac5",
            "fence_eaton_ssh", "fence_hds_cb", "fence_hpblade", "fence_ilo3_ssh", "fence_ilo4_ssh",
            "fence_ilo5_ssh", "fence_ilo_moonshot", "fence_ilo_mp", "fence_ilo_ssh", "fence_ldom",
            "fence_lpar", "fence_raritan_px3", "fence_rsa", "fence_rsb", "fence_vbox",
            "fence_virsh", "fence_vmware", "fence_wti",
        ),
        "powerman": ("fence_powerman",),
        "python3-azure": ("fence_azure_arm",),
        "python3-keystoneauth1": ("fence_compute", "fence_evacuate", "fence_openstack"),
        "python3-keystoneclient": ("fence_compute", "fence_evacuate", "fence_openstack"),
        "python3-kubernetes": ("fence_kubevirt",),
        "python3-msrestazure": ("fence_azure_arm",),
        "python3-novaclient": ("fence_compute", "fence_evacuate", "fence_openstack"),
        "python3-openshift": ("fence_kubevirt",),
        "python3-openstackclient": ("fence_ironic",),
        "python3-yaml": ("fence_openstack",),
        "snmp": (
            "fence_apc_snmp", "fence_eaton_snmp", "fence_emerson", "fence_ibmblade",
            "fence_intelmodular", "fence_ipdu", "fence_lindypdu", "fence_tripplite_snmp",
        ),
    }
)  # fmt: skip
"""Package -> agents that call its program, or import it.  The same names in Debian 12 and 13."""

HOLDING: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"fence-virt": ("fence_virt", "fence_xvm")}
)
"""Packages other than fence-agents that hold agents in Debian 12."""

HOLDING_13: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **HOLDING,
        "fence-agents-apc-snmp": ("fence_apc_snmp", "fence_tripplite_snmp"),
        "fence-agents-compute": ("fence_compute", "fence_evacuate"),
        "fence-agents-eps": ("fence_eps", "fence_epsr2"),
        "fence-agents-ilo-ssh": (
            "fence_ilo_ssh", "fence_ilo3_ssh", "fence_ilo4_ssh", "fence_ilo5_ssh",
        ),
        "fence-agents-ilo2": ("fence_ilo", "fence_ilo2"),
        "fence-agents-ipmilan": NEEDED["ipmitool"],
        "fence-agents-lindy-pdu": ("fence_lindypdu",),
        "fence-agents-zvm": ("fence_zvmip",),
    }
)  # fmt: skip
"""Debian 13 has a package for each agent, of the agent's name but for these; there
``fence-agents`` stands for all of them, with all that they need."""


def holder(agent: str, release: str = "12") -> str:
    """Return the package that holds ``agent`` in a release of Debian."""
    table = HOLDING if release == "12" else HOLDING_13
    held = (package for package, agents in table.items() if agent in agents)
    return next(held, "fence-agents" if release == "12" else agent.replace("_", "-").replace(
        "fence-", "fence-agents-", 1
    ))  # fmt: skip


def needed(agent: str) -> frozenset[str]:
    """Return what it needs beside its holder; nothing for one that is not Debian's."""
    return frozenset(package for package, agents in NEEDED.items() if agent in agents)


def packages_for(agents: Iterable[str], release: str = "12") -> frozenset[str]:
    """Return every package that these agents need in a release of Debian."""
    return frozenset().union(*({holder(agent, release), *needed(agent)} for agent in agents))
