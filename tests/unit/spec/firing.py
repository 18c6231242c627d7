"""For every code a file that has this one mistake, with its place marked by §."""

from __future__ import annotations

from .cluster_file import GOOD, broken

FIRING: list[tuple[str, str, str]] = []
"""Code, path, and the text with its mark."""


def fire(code: str, path: str, *replacements: tuple[str, str]) -> None:
    FIRING.append((code, path, broken(*replacements)))


fire("SG-SPEC-002", "", ("label: DATA", 'label: §"\\ud800"'))
fire("SG-SPEC-003", "volumes.data.size", ("10GiB", '§"10"'))
fire("SG-SPEC-003", "volumes.data.size", ("10GiB", "§10"))
fire("SG-SPEC-003", "volumes.data.size", ("10GiB", "§0GiB"))
fire("SG-SPEC-004", "", ("10.77.3.11]", "10.77.3.11"), ("management:", "management§:"))
fire("SG-SPEC-004", "", ("label: DATA", "label: §*nowhere"))
fire("SG-SPEC-004", "", ("label: DATA", "label: §\x01"))
fire("SG-SPEC-004", "", ("  mail:", "§---\n  mail:"))
FIRING.append(("SG-SPEC-005", "", "§"))
FIRING.append(("SG-SPEC-005", "", "§# only a comment\n"))
FIRING.append(("SG-SPEC-005", "", "§- a\n- b\n"))
FIRING.append(("SG-SPEC-005", "", "§just words\n"))
FIRING.append(("SG-SPEC-006", "", "§" + GOOD + "#" * 300_000))
FIRING.append(("SG-SPEC-006", "", "a: " + "[" * 16 + "§" + "[" * 5_000))
fire("SG-SPEC-007", "volumes.data.label", ("label: DATA", "label: DATA\n    §label: OTHER"))
fire("SG-SPEC-008", "", ("label: DATA", "label: §!!python/name:os.system DATA"))
fire("SG-SPEC-008", "", ("witness:", "? §[a, b]\n: 1\nwitness:"))
fire("SG-SPEC-008", "", ("label: DATA", "§<<: 5"))
fire("SG-SPEC-010", "volumes.data.lable", ("label: DATA", "§lable: DATA"))
fire("SG-SPEC-010", "color", ("timings: safe", "timings: safe\n§color: blue"))
fire("SG-SPEC-011", "volumes.data.mount", ("  data:", "  §data:"), ("    mount: /data\n", ""))
fire("SG-SPEC-011", "cluster", ("cluster: guiguiabloc\n", "§"))
fire("SG-SPEC-012", "volumes.data.label", ("label: DATA", "label: §2024"))
fire("SG-SPEC-012", "volumes.data.slots", ("slots: 8", "slots: §many"))
fire("SG-SPEC-012", "volumes.data.mount", ("mount: /data", "mount: §[/data]"))
fire("SG-SPEC-012", "storage.disk-a.san", ("[10.77.2.11, 10.77.3.11]", "§10.77.2.11"))
fire("SG-SPEC-012", "storage.disk-a.fence.ipport", ("port: 6231", "port: §[1]"))
fire("SG-SPEC-012", "storage.disk-b.fence[1].plug", ("plug: 4", "plug: §{}"))
fire("SG-SPEC-012", "storage.disk-b.fence[1].no_password", ("d: true}", 'd: §"yes"}'))
fire("SG-SPEC-012", "storage.disk-b.fence[0]", ("{agent: fence_ipmilan, ip: 10.77.0.2", "§x #"))
fire("SG-SPEC-012", "storage.disk-a.management", ("management: 10.77.0.11", "management: §7"))
fire("SG-SPEC-012", "witness.address", ("address: 10.77.0.31", "address: §31"))
fire(
    "SG-SPEC-012",
    "witness",
    ("witness:\n  ssh: root@10.77.0.31\n  address: 10.77.0.31", "witness: §[]"),
)
fire("SG-SPEC-013", "volumes.data.filesystem", ("filesystem: ocfs2", "filesystem: §ext4"))
fire("SG-SPEC-013", "access", ("timings: safe", "access: §open"))
fire("SG-SPEC-013", "timings", ("timings: safe", "timings: §slow"))
fire("SG-SPEC-014", "volumes.data.slots", ("slots: 8", "slots: §256"))
fire("SG-SPEC-014", "applications.srv-b.node", ("node: 7", "node: §255"))
fire("SG-SPEC-014", "volumes.data.port", ("port: 7800", "port: §22"))
fire("SG-SPEC-014", "volumes.data.minor", ("minor: 4", "minor: §-1"))
fire("SG-SPEC-010", "timings.stal", ("timings: safe", "timings: {stall: 20s, §stal: 20s}"))
fire("SG-SPEC-011", "timings.stall", ("timings: safe", "§timings: {fence: 8s}"))
fire("SG-SPEC-015", "timings.fence", ("timings: safe", "timings: {stall: 20s, fence: §[8s]}"))
fire("SG-SPEC-013", "timings", ("timings: safe", "timings: §[safe]"))
fire("SG-SPEC-015", "timings.stall", ("timings: safe", "timings: {stall: §20}"))
fire("SG-SPEC-015", "timings.stall", ("timings: safe", "timings: {stall: §2min}"))
fire("SG-SPEC-015", "timings.fence", ("timings: safe", "timings: {stall: 20s, fence: §1.5s}"))

fire("SG-SPEC-020", "cluster", ("cluster: guiguiabloc", "cluster: §Guigui"))
fire("SG-SPEC-020", "cluster", ("cluster: guiguiabloc", "cluster: §abcdefghijklmnopq"))
fire("SG-SPEC-020", "cluster", ("cluster: guiguiabloc", 'cluster: §"good\\n"'))
fire("SG-SPEC-021", "iqn", ("iqn: iqn.", "iqn: §iiqn."))
fire("SG-SPEC-021", "iqn", ("iqn: iqn.2009-02", "iqn: §iqn.2009–02"))
fire("SG-SPEC-021", "iqn", ("iqn: iqn.2009-02", "iqn: §iqn.2009-13"))
fire("SG-SPEC-021", "iqn", ("iqn: iqn.2009-02.fr", "iqn: §iqn.2009-02." + "a" * 120))
fire("SG-SPEC-022", "applications.Srv_A", ("srv-a:", "§Srv_A:"))
fire("SG-SPEC-022", "applications.localhost", ("srv-a:", "§localhost:"))
fire("SG-SPEC-023", "storage.disk-a.hostname", ("hostname: disk-a", "hostname: §disk_a"))
fire("SG-SPEC-023", "storage.disk-a.hostname", ("hostname: disk-a", "hostname: §" + "a.b" * 30))
fire("SG-SPEC-024", "volumes.Data", ("  data:", "  §Data:"))
fire("SG-SPEC-024", "volumes.abcdefghijklmnopq", ("  mail:", "  §abcdefghijklmnopq:"))
fire("SG-SPEC-025", "volumes.all", ("  mail:", "  §all:"))
fire("SG-SPEC-025", "storage.disk-a.hostname", ("hostname: disk-a", "hostname: §disk"))
fire("SG-SPEC-026", "applications.srv-a.ssh", ("ssh: root@10.77.0.21", "ssh: §-oProxyCommand=x"))
fire("SG-SPEC-026", "applications.srv-a.ssh", ("ssh: root@10.77.0.21", "ssh: §root@$(x)"))
fire("SG-SPEC-026", "applications.srv-a.ssh", ("ssh: root@10.77.0.21", "ssh: §root@h:2222"))
fire("SG-SPEC-026", "applications.srv-a.ssh", ("ssh: root@10.77.0.21", "ssh: §root@-h"))
fire("SG-SPEC-026", "applications.srv-a.ssh", ("ssh: root@10.77.0.21", "ssh: §ssh://%60x%60@h"))
fire("SG-SPEC-026", "witness.ssh", ("ssh: root@10.77.0.31", "ssh: §a b"))
fire("SG-SPEC-011", "storage.disk-b.fence[1].agent", ("{agent: fence_apc_snmp, ", "§{"))
fire("SG-SPEC-027", "secrets", ("secrets: lab.secrets", "secrets: §-x"))
fire("SG-SPEC-027", "secrets", ("secrets: lab.secrets", 'secrets: §"a\\0b"'))

_FENCES = GOOD[GOOD.index("    fence:\n") : GOOD.index("applications:")]
_THIRD = """\
  disk-c:
    ssh: disk-c
    replication: 10.77.1.13
    management: 10.77.0.13
    fence: {agent: fence_ipmilan, ip: 10.77.0.4}
    san: [10.77.2.13, 10.77.3.13]
applications:"""
fire(
    "SG-SPEC-030",
    "storage",
    ("storage:", "§storage:"),
    ("applications:", _THIRD),
    ("disk-b: /dev/vg0/data}", "disk-b: /dev/vg0/data, disk-c: /dev/vg0/data}"),
    ("disk-b: /dev/vg0/mail}", "disk-b: /dev/vg0/mail, disk-c: /dev/vg0/mail}"),
)
FIRING.append(("SG-SPEC-031", "volumes", GOOD[: GOOD.index("volumes:")] + "§volumes: {}\n"))
_NO_SERVERS = GOOD[: GOOD.index("applications:")] + "§applications: {}\n"
FIRING.append(("SG-SPEC-031", "applications", _NO_SERVERS + GOOD[GOOD.index("witness:") :]))
fire("SG-SPEC-032", "applications.disk-a", ("  srv-a:", "  §disk-a:"))
fire("SG-SPEC-032", "applications.witness", ("  srv-a:", "  §witness:"))
fire("SG-SPEC-033", "storage.disk-a.hostname", ("hostname: disk-a", "hostname: §srv-a"))
fire("SG-SPEC-034", "applications.srv-b.ssh", ("ssh: root@10.77.0.22", "ssh: §admin@10.77.0.21"))
fire("SG-SPEC-034", "applications.srv-b.ssh", ("root@10.77.0.22", "§ssh://10.77.0.21:22/"))
_WITNESS = "  ssh: root@10.77.0.31\n  address: 10.77.0.31"
fire("SG-SPEC-035", "witness", (f"witness:\n{_WITNESS}", "witness: §{}"))
fire("SG-SPEC-035", "witness.on", ("  ssh: root@10.77.0.31", "  ssh: w\n  on: §srv-a"))
fire("SG-SPEC-036", "witness.on", ("ssh: root@10.77.0.31", "on: §disk-a"))
fire(
    "SG-SPEC-037",
    "applications.srv-b.node",
    ("node: 7", "node: §0"),
    ("  srv-a:\n", "  srv-a:\n    node: 0\n"),
)
fire("SG-SPEC-038", "storage.disk-a.fence.agent", ("fence_ipmilan", "§/bin/sh"))
fire("SG-SPEC-038", "storage.disk-b.fence[1].agent", ("fence_apc_snmp", "§apc"))
for _password in ("passwd", "password", "snmp_priv_passwd", "api_key"):
    _path = f"storage.disk-a.fence.{_password}"
    fire("SG-SPEC-038", _path, ("ipport: 6231", f"§{_password}: x"))
fire("SG-SPEC-038", "storage.disk-a.fence.Port", ("ipport: 6231", "§Port: 1"))
fire("SG-SPEC-038", "storage.disk-a.fence.ssh-port", ("ipport: 6231", "§ssh-port: 1"))
for _value in ("'a\\nb'", '"a\\nb"', "'<x/>'", "'&lt;'", "a b", '""', "-x", "-1", "a'b", "$(x)"):
    fire("SG-SPEC-038", "storage.disk-a.fence.ipport", ("port: 6231", f"port: §{_value}"))
fire("SG-SPEC-070", "storage.disk-b.fence", ("  disk-b:\n", "  §disk-b:\n"), (_FENCES, ""))
fire("SG-SPEC-070", "storage.disk-b.fence", (_FENCES, "    fence: §[]\n"))
_MANAGEMENT = ("    management: 10.77.0.11\n", "")
fire("SG-SPEC-071", "storage.disk-a.management", ("  disk-a:\n", "  §disk-a:\n"), _MANAGEMENT)
fire("SG-SPEC-072", "witness", ("cluster:", "§cluster:"), (f"witness:\n{_WITNESS}\n", ""))
_NO_ADDRESS = ("  address: 10.77.0.31\n", "")
fire("SG-SPEC-073", "witness.address", ("witness:", "§witness:"), _NO_ADDRESS)
for _name in ("action", "delay", "password_script", "pcmk_off_action", "pcmk_host_list"):
    _path = f"storage.disk-b.fence[0].{_name}"
    fire("SG-SPEC-074", _path, ("10.77.0.2, lanplus", f"10.77.0.2, §{_name}"))
for _told in (
    "method: cycle",
    "missing_as_off: true",
    "missing_as_off: 1",
    "disable_timeout: true",
):
    _name = _told.partition(":")[0]
    _path = f"storage.disk-b.fence[0].{_name}"
    fire(
        "SG-SPEC-077",
        _path,
        ("10.77.0.2, lanplus: true", f"10.77.0.2, {_name}: §{_told[len(_name) + 2 :]}"),
    )
for _agent in ("fence_dummy", "fence_kdump", "fence_ifmib", "fence_scsi", "fence_brocade"):
    fire("SG-SPEC-078", "storage.disk-b.fence[1].agent", ("fence_apc_snmp", f"§{_agent}"))
for _told in ("power_timeout: 21", "login_timeout: 21s", "power_wait: 60", "shell_timeout: 20.5"):
    _name = _told.partition(":")[0]
    _path = f"storage.disk-b.fence[0].{_name}"
    fire(
        "SG-SPEC-079",
        _path,
        ("10.77.0.2, lanplus: true", f"10.77.0.2, {_name}: §{_told[len(_name) + 2 :]}"),
    )
fire(
    "SG-SPEC-079",
    "storage.disk-b.fence[0].power_timeout",
    ("timings: safe", "timings: fast"),
    ("10.77.0.2, lanplus: true", "10.77.0.2, power_timeout: §9"),
)
fire(
    "SG-SPEC-079",
    "storage.disk-b.fence[0].power_timeout",
    ("timings: safe", "timings: {stall: 40s, fence: 6s}"),
    ("10.77.0.2, lanplus: true", "10.77.0.2, power_timeout: §7"),
)
_TEN = "".join(f"      - {{agent: fence_apc, ip: 10.77.0.{n}}}\n" for n in range(100, 110))
fire("SG-SPEC-075", "storage.disk-b.fence", (_FENCES, f"    §fence:\n{_TEN}"))
fire("SG-SPEC-075", "storage.disk-b.fence[1]", (_FENCES, "    fence: [{agent: fence_apc}, §[]]\n"))
_LEVEL = "    fence: [[{agent: fence_apc, ip: a}, §{agent: fence_apc, ip: a}]]\n"
fire("SG-SPEC-076", "storage.disk-b.fence[0][1]", (_FENCES, _LEVEL))
_LEVEL = "    fence: [[{agent: fence_apc}, {agent: §fence_scsi}]]\n"
fire("SG-SPEC-078", "storage.disk-b.fence[0][1].agent", (_FENCES, _LEVEL))
_LEVEL = "    fence: [[{agent: fence_apc}, §{ip: 10.77.0.3}]]\n"
fire("SG-SPEC-011", "storage.disk-b.fence[0][1].agent", (_FENCES, _LEVEL))
_SAME_DEVICE = ("ip: 10.77.0.1, ipport: 6231,", "ip: 10.77.0.2,")
fire("SG-SPEC-076", "storage.disk-b.fence[0]", _SAME_DEVICE, ("- {agent", "- §{agent"))
_TWICE = "no_password: true}\n      - §{agent: fence_apc_snmp, plug: 4, ip: 10.77.0.3}"
fire("SG-SPEC-076", "storage.disk-b.fence[2]", ("no_password: true}", _TWICE))

fire("SG-SPEC-040", "storage.disk-a.management", ("management: 10.77.0.11", "management: §disk-a"))
fire("SG-SPEC-040", "witness.address", ("address: 10.77.0.31", "address: §witness"))
fire(
    "SG-SPEC-040", "storage.disk-a.replication", ("replication: 10.77.1.11", "replication: §disk-a")
)
fire("SG-SPEC-040", "storage.disk-a.san[1]", ("10.77.3.11", "§10.77.3.11/24"))
fire("SG-SPEC-040", "storage.disk-a.san[1]", ("10.77.3.11", '§"fe80::1%$(x)"'))
fire("SG-SPEC-040", "storage.disk-a.san[1]", ("10.77.3.11", "§10.77.3.011"))
for _address in ("127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "0.1.2.3", "250.1.1.1"):
    fire("SG-SPEC-041", "applications.srv-b.interconnect", ("10.77.4.22", f"§{_address}"))
fire("SG-SPEC-042", "applications.srv-a.san[0]", ("10.77.2.21", "§10.77.2.11"))
fire("SG-SPEC-042", "storage.disk-b.replication", ("10.77.1.12", "§10.77.1.11"))
fire("SG-SPEC-042", "storage.disk-b.management", ("ment: 10.77.0.12", "ment: §10.77.0.11"))
fire("SG-SPEC-043", "storage.disk-a.management", ("ment: 10.77.0.11", "ment: §10.77.1.11"))
fire("SG-SPEC-043", "storage.disk-b.management", ("ment: 10.77.0.12", "ment: §10.77.1.11"))
fire("SG-SPEC-043", "witness.address", ("address: 10.77.0.31", "address: §10.77.0.12"))
fire("SG-SPEC-043", "witness.address", ("address: 10.77.0.31", "address: §10.77.2.21"))
_ON_OTHER = "  on: srv-b\n  address: §10.77.2.21"
fire("SG-SPEC-043", "witness.address", (_WITNESS, _ON_OTHER))
fire("SG-SPEC-043", "applications.srv-b.interconnect", ("10.77.4.22", "§10.77.2.21"))
fire(
    "SG-SPEC-043",
    "storage.disk-b.san[0]",
    ("10.77.1.11", "10.77.2.12"),
    ("[10.77.2.12", "[§10.77.2.12"),
)
fire("SG-SPEC-044", "applications.srv-a.san", ("[10.77.2.21, 10.77.3.21]", "§[10.77.2.21]"))
fire("SG-SPEC-045", "storage.disk-b.replication", ("10.77.1.12", "§fd00::12"))
fire("SG-SPEC-045", "storage.disk-b.management", ("ment: 10.77.0.12", "ment: §fd00::12"))
fire(
    "SG-SPEC-046",
    "applications.srv-a.interconnect",
    *((f"10.77.2.{n}", f"fd00::{n}") for n in (11, 12, 21, 22)),
    ("  srv-a:", "  §srv-a:"),
)
fire("SG-SPEC-046", "applications.srv-b.interconnect", ("10.77.4.22", '§"fd00::22"'))
FIRING.append(("SG-SPEC-047", "storage.disk-a.san", broken(("[10.77.2.11, 10.77.3.11]", "§[]"))))

fire("SG-SPEC-050", "volumes.data.on", ("{disk-a: /dev/vg0/data, ", "§{"))
fire("SG-SPEC-051", "volumes.data.on.disk-c", ("data}", "data, §disk-c: /dev/sdz}"))
fire("SG-SPEC-051", "volumes.data.prefer", ("prefer: disk-b", "prefer: §srv-a"))
for _device in ("vg0/data", "/etc/passwd", "/dev/../etc/x", "/dev//x", "/dev/x/", "/dev/a$(b)"):
    fire("SG-SPEC-052", "volumes.data.on.disk-a", ("disk-a: /dev/vg0/data", f"disk-a: §{_device}"))
fire("SG-SPEC-053", "volumes.mail.on.disk-b", ("disk-b: /dev/vg0/mail", "disk-b: §/dev/vg0/data"))
for _mount in ("data", "/data/", "/a/../b", "//data", "/a b", "/" + "-" * 70):
    fire("SG-SPEC-054", "volumes.data.mount", ("mount: /data", f"mount: §{_mount}"))
for _mount in ("/", "/etc", "/usr/local", "/var", "/home", "/proc/x", "/boot", "/var/log"):
    fire("SG-SPEC-055", "volumes.data.mount", ("mount: /data", f"mount: §{_mount}"))
fire("SG-SPEC-056", "volumes.mail.mount", ("mount: /var/mail", "mount: §/data"))
fire("SG-SPEC-056", "volumes.mail.mount", ("mount: /var/mail", "mount: §/data/mail"))
fire("SG-SPEC-057", "volumes.data.label", ("label: DATA", "label: §" + "L" * 64))
fire("SG-SPEC-058", "volumes.data.label", ("label: DATA", "label: §donnée"))
fire("SG-SPEC-058", "volumes.data.label", ("label: DATA", "label: §-x"))
fire("SG-SPEC-059", "volumes.data.label", ("label: DATA", "label: §MAIL"))
fire("SG-SPEC-060", "volumes.data.slots", ("slots: 8", "slots: §1"))
_MANY = "".join(
    f"  s{n}: {{ssh: s{n}, san: [10.77.100.{n}, 10.77.200.{n}]}}\n" for n in range(1, 255)
)
fire(
    "SG-SPEC-060",
    "applications",
    ("applications:", "§applications:"),
    ("    node: 7\n", ""),
    ("witness:", _MANY + "witness:"),
)
fire("SG-SPEC-061", "volumes.mail.minor", ("mount: /var/mail", "mount: /var/mail\n    minor: §4"))
fire("SG-SPEC-062", "volumes.mail.port", ("mount: /var/mail", "mount: /var/mail\n    port: §7800"))
for _port in (3260, 7777, 5405):
    fire("SG-SPEC-063", "volumes.data.port", ("port: 7800", f"port: §{_port}"))
fire("SG-SPEC-064", "volumes.data.serial", ("serial: 7c1f", "serial: §7C1F"))
fire("SG-SPEC-064", "volumes.data.serial", ("serial: 7c1f3b", "serial: §7c1f"))
_SAME = "mount: /var/mail\n    serial: §7c1f3b52a9d04e618f20c3b7d0000000"
fire("SG-SPEC-065", "volumes.mail.serial", ("mount: /var/mail", _SAME))

fire("SG-SPEC-090", "timings.stall", ("timings: safe", "timings: {stall: §7s}"))
fire("SG-SPEC-090", "timings.stall", ("timings: safe", "timings: {stall: §20s, fence: 16s}"))
fire("SG-SPEC-090", "timings.stall", ("timings: safe", "timings: {stall: §61s}"))
fire("SG-SPEC-090", "timings.stall", ("timings: safe", "timings: {stall: §20s, fence: 8s}"))

# warnings
_NARROW = [(f"10.77.2.{n}, 10.77.3.{n}", f"10.77.2.{n}") for n in (12, 21, 22)]
_ONE = ("[10.77.2.11, 10.77.3.11]", "§[10.77.2.11]")
FIRING.append(("SG-SPEC-080", "storage.disk-a.san", broken(_ONE, *_NARROW)))
fire("SG-SPEC-081", "applications.srv-b.san[1]", ("10.77.3.22", "§192.168.3.22"))
fire("SG-SPEC-082", "storage.disk-a.san[1]", ("10.77.3.11", "§10.77.2.111"))
fire("SG-SPEC-083", "volumes.data.slots", ("slots: 8", "slots: §2"))
fire("SG-SPEC-084", "storage.disk-b.management", ("ment: 10.77.0.12", "ment: §10.77.1.112"))

_ARTICLE = ("timings: safe", "access: article")
SILENT: list[tuple[str, tuple[tuple[str, str], ...]]] = [
    ("SG-SPEC-003", (("10GiB", "1.5 TB"),)),
    ("SG-SPEC-004", (("label: DATA", "label: &l DATA # anchor"),)),
    ("SG-SPEC-005", (("cluster:", "\ufeff---\ncluster:"),)),
    ("SG-SPEC-012", (("label: DATA", 'label: "2024"'),)),
    ("SG-SPEC-012", (("serial: 7c1f3b52a9d04e618f20c3b7d5e4a916", "serial: null"),)),
    ("SG-SPEC-014", (("slots: 8", "slots: 255"),)),
    ("SG-SPEC-015", (("timings: safe", "timings: fast"),)),
    ("SG-SPEC-015", (("timings: safe", "timings: {stall: 20s, fence: 7s}"),)),
    ("SG-SPEC-015", (("timings: safe", "timings: {stall: 20s, fence: null}"),)),
    ("SG-SPEC-090", (("timings: safe", "timings: {stall: 8s, fence: 1s}"),)),
    ("SG-SPEC-090", (("timings: safe", "timings: {stall: 60s, fence: 27s}"),)),
    ("SG-SPEC-020", (("guiguiabloc", "abcdefghijklmnop"),)),
    ("SG-SPEC-021", (("iqn.2009-02.fr.guiguiabloc", "iqn.2001-04.com"),)),
    ("SG-SPEC-022", (("srv-a:", "0" * 63 + ":"),)),
    ("SG-SPEC-023", (("hostname: disk-a", "hostname: Disk-A.example.org"),)),
    ("SG-SPEC-024", (("  mail:", "  abcdefghijklmn-0:"),)),
    ("SG-SPEC-025", (("  mail:", "  disks:"),)),
    *(
        ("SG-SPEC-026", (("root@10.77.0.21", ssh),))
        for ssh in (
            "srv-a",
            "admin@srv-a.example.org",
            "ssh://admin@srv-a:2222",
            "ssh://[fd00::21]:22/",
            "root@fd00::21",
            "user@realm@host",
        )
    ),
    ("SG-SPEC-027", (("lab.secrets", "../été/lab.secrets"),)),
    ("SG-SPEC-034", (("root@10.77.0.22", "ssh://root@10.77.0.21:2222"),)),
    ("SG-SPEC-035", (("ssh: root@10.77.0.31", "on: srv-a"),)),
    ("SG-SPEC-036", (("ssh: root@10.77.0.31", "on: srv-b"),)),
    ("SG-SPEC-037", (("node: 7", "node: 254"),)),
    ("SG-SPEC-038", (("ipport: 6231", "identity_file: /etc/x, login: me@site"),)),
    ("SG-SPEC-038", (("ipport: 6231", "power_timeout: 2.5, ssl: false"),)),
    *((code, (("timings: safe", "access: guarded"),)) for code in ("SG-SPEC-013", "SG-SPEC-070")),
    ("SG-SPEC-070", (_ARTICLE, (_FENCES, ""))),
    ("SG-SPEC-071", (_ARTICLE, _MANAGEMENT)),
    ("SG-SPEC-072", (_ARTICLE, (f"witness:\n{_WITNESS}\n", ""))),
    ("SG-SPEC-073", (_ARTICLE, _NO_ADDRESS)),
    ("SG-SPEC-073", ((_WITNESS, "  on: srv-a"),)),
    ("SG-SPEC-074", (("lanplus: true", "power_wait: 2"),)),
    ("SG-SPEC-077", (("lanplus: true", "method: onoff"),)),
    ("SG-SPEC-077", (("lanplus: true", "missing_as_off: false, disable_timeout: 0"),)),
    ("SG-SPEC-078", (("fence_apc_snmp", "fence_apc"),)),
    ("SG-SPEC-079", (("lanplus: true", "power_timeout: 20, login_timeout: 5s"),)),
    (
        "SG-SPEC-079",
        (
            ("lanplus: true", "power_timeout: 30"),
            ("timings: safe", "timings: {stall: 60s, fence: 27s}"),
            ("power_timeout: 30", "power_timeout: 27"),
        ),
    ),
    ("SG-SPEC-075", ((_FENCES, "    fence:\n" + _TEN[: _TEN.rindex("      -")]),)),
    ("SG-SPEC-076", (("ip: 10.77.0.1, ipport: 6231,", "ip: 10.77.0.2, ipport: 1,"),)),
    *(
        ("SG-SPEC-043", ((_WITNESS, f"  on: srv-b\n  address: {address}"),))
        for address in ("10.77.2.22", "10.77.3.22", "10.77.4.22", "10.77.0.22")
    ),
    ("SG-SPEC-084", (("ment: 10.77.0.12", "ment: 10.78.1.12"),)),
    ("SG-SPEC-040", (("10.77.4.22", "192.168.7.1"),)),
    ("SG-SPEC-041", (("10.77.4.22", "169.254.1.1"),)),
    ("SG-SPEC-043", (("10.77.4.22", "10.77.3.22"),)),
    ("SG-SPEC-045", (("10.77.1.11", "fd00::11"), ("10.77.1.12", "fd00::12"))),
    ("SG-SPEC-052", (("disk-a: /dev/vg0/data", "disk-a: /dev/disk/by-id/wwn-0x5:1@a+b_c.d"),)),
    ("SG-SPEC-053", (("disk-b: /dev/vg0/mail", "disk-b: /dev/vg1/data"),)),
    *(
        ("SG-SPEC-055", (("mount: /data", f"mount: {mount}"),))
        for mount in ("/home/shared", "/srv", "/var/www", "/mnt/data", "/usrlocal")
    ),
    ("SG-SPEC-056", (("mount: /var/mail", "mount: /data2"),)),
    ("SG-SPEC-057", (("label: DATA", "label: " + "L" * 63),)),
    ("SG-SPEC-060", (("slots: 8", "slots: 2"),)),
    ("SG-SPEC-081", (("10.77.3.22", "10.77.9.22"),)),
    ("SG-SPEC-083", (("slots: 8", "slots: 3"),)),
]
"""Near misses: this code must not be reported for these changes."""
