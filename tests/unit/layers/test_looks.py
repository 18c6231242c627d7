"""What a gathering asks a host: the whole script in a false root, and each answer parsed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from sanglier.core.probe import Output, Probe
from sanglier.core.shell import render
from sanglier.layers.backing.facts import BackingFacts
from sanglier.layers.cluster.facts import ClusterFacts
from sanglier.layers.drbd.facts import DrbdFacts
from sanglier.layers.network.facts import NetworkFacts
from sanglier.layers.numbers.facts import Kind, NumbersFacts, Rank
from sanglier.layers.ocfs2.facts import Ocfs2Facts
from sanglier.layers.stack import LAYERS
from sanglier.run.frames import Framer, Marker
from sanglier.run.gather import Reading, pooled, probe_script, questions_for

from .goal import GOAL, HOSTS, SECRETS, VOLUME
from .recordings import facts_of, outputs_of
from .root import PLACES, Root

SECRET = "a resource q address q; $(x)`y`"
OTHER = f"""
resource data2 {{
    net {{
        shared-secret   \t"{SECRET} other";
        timeout \t77;
    }}
    _this_host {{
        volume 0 {{
            device\t\t\tminor 7;
            disk\t\t\t"/dev/vdz";
        }}
    }}
}}
"""
CONF = f"""resource data {{
    net {{ shared-secret "{SECRET}"; }}
    on disk-a {{
        device /dev/drbd0 minor 0;
        disk /dev/mapper/disk;
        address ipv4 10.77.1.11:7789;
    }}
    on disk-b {{ device /dev/drbd0 minor 0; disk /dev/vdb; address 10.77.1.12:7789; }}
}}
"""
MAP = """nodelist.node.0.name (str) = disk-a
nodelist.node.0.nodeid (u32) = 1
totem.cluster_name (str) = guiguiabloc
quorum.device.timeout (u32) = 5000
runtime.config.totem.token (u32) = 3000
"""
STAT = 'shift 3; for file; do echo "$file 0xfe 0x1"; done'
PING = 'case "$*" in *10.77.0.31) exit 1;; esac'


def recorded(host: str, layer: str, probe: str) -> str:
    return outputs_of("converged", host, layer)[probe].text + "\n"


def noting(root: Root, name: str, text: str) -> None:
    """Put a tool that notes what it was asked."""
    root.tool(name, f'echo "{name} $*" >> {root.place}/asked\n{text}')


def asked(root: Root) -> list[str]:
    return (root.place / "asked").read_text().splitlines()


@pytest.fixture(name="root")
def fixture_root(tmp_path: Path) -> Root:
    root = Root(tmp_path, f"{PLACES}|run|lib|dev/mapper")
    root.put("/proc/sys/kernel/hostname", "disk-a\n")
    root.put("/proc/sys/kernel/osrelease", "6.1\n")
    root.put(
        "/lib/modules/6.1/modules.dep",
        "kernel/drbd/drbd.ko.xz: kernel/lru_cache.ko\nkernel/x/drbd_x.ko: a/ocfs2.ko\n",
    )
    root.put("/lib/modules/6.1/modules.builtin", "kernel/target/target_core_mod.ko\n")
    for name in ("perl", "wipefs", "dpkg-query", "systemctl", "multipathd", "grep-no"):
        root.tool(name, "")
    noting(root, "ping", PING)
    noting(root, "stat", STAT)
    return root


def storage(root: Root, more: str = OTHER) -> None:
    """Make it disk-a, as it was recorded, with another resource beside ours."""
    version, state = recorded("disk-a", "drbd", "state").split("\n", 1)
    root.put("/sys/module/drbd/version", f"{version}\n")
    root.put("/proc/drbd", state)
    shown = recorded("disk-a", "drbd", "resource-data").partition("\nsecret ")[0]
    shown = shown.replace("    net {", f'    net {{\n        shared-secret \t"{SECRET}";')
    root.put("shown", root.rooted(f"{shown}\n{more}"))
    noting(
        root,
        "drbdsetup",
        f"""case $1 in
        show) exec cat {root.place}/shown ;;
        get-gi) echo 2393B84231F1C175:0:0:0:1:1:1:1:0:0:0 ;;
    esac""",
    )
    root.put("/etc/drbd.d/data.res", root.rooted(CONF))
    root.put("/dev/mapper/disk")
    root.put("/sys/dev/block/254:1/size", "2097152\n")
    root.put("/sys/block/drbd0/size", "2097016\n")
    root.put("/sys/block/drbd0/slaves/dm-1/dev", "254:1\n")
    root.put("/run/corosync.pid")
    root.put("/etc/corosync/corosync.conf", recorded("disk-a", "cluster", "conf").split("\n", 1)[1])
    root.put("map", MAP)
    noting(root, "corosync-cmapctl", f"exec cat {root.place}/map")
    noting(root, "pidof", "echo 7")
    root.put("state", recorded("disk-a", "cluster", "state"))
    root.tool("crm_mon", f"exec cat {root.place}/state")
    for name in ("cibadmin", "corosync-quorumtool"):
        root.tool(name, "")
    addresses(root, "10.77.0.11", "10.77.1.11", "10.77.2.11", "10.77.3.11")


def addresses(root: Root, *found: str) -> None:
    lines = [f"{n}: eth{n}    inet {a}/24 scope global eth{n}\\       valid_lft forever"
             for n, a in enumerate(found)]  # fmt: skip
    root.put("addresses", "\n".join(lines) + "\n")
    noting(root, "ip", f"exec cat {root.place}/addresses")
    for n in range(len(found)):
        root.put(f"/sys/class/net/eth{n}/mtu", f"{1500 + n}\n")


def gathered(root: Root, host: str) -> dict[tuple[str, str], Output]:
    """Run the script of a whole gathering; a file passes for a block device."""
    questions = questions_for(GOAL, LAYERS, host)
    marker, pools = Marker(), pooled(questions)
    script = probe_script(pools, marker, "/nowhere", wait=False)
    status, text = root.shell(root.rooted(script).replace("[ -b ", "[ -e "))
    assert status == 0
    reading = Reading(questions, pools, Framer(marker))
    for line in text.replace(str(root.place), "").splitlines():
        reading.take(line)
    assert reading.whole
    return {(q.layer.name, q.probe.name): reading.answers[n] for n, q in enumerate(questions)}


def parsed(root: Root, host: str, layer: str) -> object:
    answers = gathered(root, host)
    outputs = {name: output for (where, name), output in answers.items() if where == layer}
    return next(found for found in LAYERS if found.name == layer).parse(GOAL, host, outputs)


def test_a_storage_server_is_asked_once_about_each_thing(root: Root) -> None:
    storage(root)
    gathered(root, "disk-a")
    told = [line for line in asked(root) if not line.startswith("ping")]
    assert [line for line in told if line.startswith("drbdsetup")] == [
        "drbdsetup show --show-defaults", "drbdsetup get-gi 0",
    ]  # fmt: skip
    tools = [line.split()[0] for line in told]
    assert sorted(tools) == ["corosync-cmapctl", "drbdsetup", "drbdsetup", "ip", "pidof", "stat"]


def test_no_answer_has_a_secret(root: Root) -> None:
    storage(root)
    for output in gathered(root, "disk-a").values():
        assert "$(x)" not in output.text
        assert "q;" not in output.text


def test_the_mirror_is_read_as_it_was_recorded(root: Root) -> None:
    storage(root)
    now = parsed(root, "disk-a", "drbd")
    then = facts_of("converged").of("disk-a", DrbdFacts)
    assert isinstance(now, DrbdFacts)
    mine, theirs = now.resources["data"], then.resources["data"]
    assert now.version == then.version
    assert mine.options == theirs.options
    assert (mine.role, mine.disk, mine.connection) == (theirs.role, theirs.disk, theirs.connection)
    assert (mine.in_force.minor, mine.in_force.device) == (0, "/dev/mapper/disk")
    assert (mine.in_force.here, mine.in_force.there) == (
        theirs.in_force.here, theirs.in_force.there,
    )  # fmt: skip
    assert mine.in_force.backed == {mine.named} == {"254:1"}
    assert len(mine.secret_digest) == 64


def test_a_secret_in_use_is_told_by_its_digest(root: Root) -> None:
    storage(root)
    secret = SECRETS.drbd["data"].reveal()
    shown = (root.place / "shown").read_text().replace(SECRET, secret, 1)
    root.put("shown", shown)
    now = parsed(root, "disk-a", "drbd")
    then = facts_of("converged").of("disk-a", DrbdFacts).resources["data"]
    assert isinstance(now, DrbdFacts)
    assert now.resources["data"].secret_digest == then.secret_digest


def test_a_resource_whose_name_only_begins_like_ours_is_not_ours(root: Root) -> None:
    storage(root)
    root.put("shown", OTHER)
    now = parsed(root, "disk-a", "drbd")
    assert isinstance(now, DrbdFacts)
    assert now.resources["data"].in_force.minor is None
    assert now.resources["data"].options == {}


def test_a_device_that_drbd_has_open_is_ours_and_not_read(root: Root) -> None:
    storage(root)
    noting(root, "perl", "")
    now = parsed(root, "disk-a", "backing")
    assert isinstance(now, BackingFacts)
    device = now.devices["data"]
    assert (device.ours, device.size, device.number) == (True, 2097152 * 512, "254:1")
    assert device.mirror == 2097016 * 512
    assert not any(line.startswith("perl") for line in asked(root))


def test_a_device_that_drbd_took_meanwhile_is_ours_and_not_read(root: Root) -> None:
    storage(root)
    noting(root, "perl", "")
    noting(root, "drbdsetup", f'[ "$2" != data ] || exec cat {root.place}/shown')
    now = parsed(root, "disk-a", "backing")
    assert isinstance(now, BackingFacts)
    assert now.devices["data"].ours
    assert not any(line.startswith("perl") for line in asked(root))


def test_a_device_that_drbd_does_not_have_is_looked_at(root: Root) -> None:
    storage(root)
    root.put("shown", OTHER)
    noting(root, "perl", "")
    root.put("/etc/drbd.d/data.res", CONF.replace("/dev/mapper/disk", "/dev/other"))
    now = parsed(root, "disk-a", "backing")
    assert isinstance(now, BackingFacts)
    assert not now.devices["data"].ours
    assert any(line.startswith("perl") for line in asked(root))


def test_a_file_that_names_a_device_makes_it_ours(root: Root) -> None:
    storage(root)
    root.put("shown", "")
    for name in ("data2", "adata"):
        root.put(f"/etc/drbd.d/{name}.res", "resource x { disk /dev/other; }\n")
    device = parsed(root, "disk-a", "backing")
    assert isinstance(device, BackingFacts)
    assert device.devices["data"].ours
    root.put("/etc/drbd.d/data.res", "resource data { }\n")
    root.put("/etc/drbd.d/data2.res", root.rooted("resource x { disk /dev/mapper/disk; }\n"))
    device = parsed(root, "disk-a", "backing")
    assert isinstance(device, BackingFacts)
    assert not device.devices["data"].ours


def test_without_drbd_nothing_is_loaded_and_nothing_found(root: Root) -> None:
    storage(root)
    (root.place / "proc/drbd").unlink()
    (root.place / "sys/module/drbd/version").unlink()
    now = parsed(root, "disk-a", "drbd")
    assert isinstance(now, DrbdFacts)
    assert (now.version, now.resources["data"].up) == ("", False)
    assert not any(line.startswith("drbdsetup") for line in asked(root))


def test_numbers_are_claimed_by_the_kernel_and_by_files(root: Root) -> None:
    storage(root)
    now = parsed(root, "disk-a", "numbers")
    assert isinstance(now, NumbersFacts)
    assert {(c.kind, c.name, c.number) for c in now.claims if c.rank is Rank.STORED} >= {
        (Kind.MINOR, "data", 0), (Kind.PORT, "data", 7789), (Kind.SIDE, "disk-b", 1),
    }  # fmt: skip
    assert {(c.kind, c.name, c.number) for c in now.claims if c.rank is Rank.RUNNING} == {
        (Kind.MINOR, "data", 0), (Kind.PORT, "data", 7789), (Kind.MINOR, "data2", 7),
        (Kind.SIDE, "disk-a", 0),
    }  # fmt: skip


def test_the_cluster_and_the_links_are_read(root: Root) -> None:
    storage(root)
    now = parsed(root, "disk-a", "cluster")
    assert isinstance(now, ClusterFacts)
    assert now.values == {
        "quorum.device.timeout": "5000", "runtime.config.totem.token": "3000",
    }  # fmt: skip
    then = facts_of("converged").of("disk-a", ClusterFacts)
    assert (now.state, now.files["/etc/corosync/corosync.conf"]) == (
        then.state, then.files["/etc/corosync/corosync.conf"],
    )  # fmt: skip
    links = parsed(root, "disk-a", "network")
    assert isinstance(links, NetworkFacts)
    assert links.reachable == {"10.77.1.12": True, "10.77.0.12": True, "10.77.0.31": False}
    assert links.addresses["10.77.1.11"].mtu == 1501
    pings = [line for line in asked(root) if "10.77.1.12" in line]
    assert "-s 1473 " in pings[0], "by the MTU of the interface that has the address"
    assert sum("-c 2 -i 0.3" in line for line in asked(root)) == 2, "one link, in two gatherings"


def test_modules_are_found_by_their_whole_names(root: Root) -> None:
    storage(root)
    said = gathered(root, "disk-a")["packages", "modules"].lines
    assert said == ("kernel 6.1", "kernel/drbd/drbd.ko", "kernel/target/target_core_mod.ko")


def test_a_mounted_volume_is_known_from_udev_alone(root: Root) -> None:
    addresses(root, "10.77.2.21", "10.77.3.21")
    root.put("/proc/mounts", root.rooted("/dev/vda / ext4 rw 0 0\n"
             f"{VOLUME.map_device} /data ocfs2 rw,_netdev 0 0\n"))  # fmt: skip
    root.put(VOLUME.map_device)
    for n, name in enumerate(("other", "sanglier-data")):
        root.put(f"/sys/block/dm-{n}/dm/name", f"{name}\n")
        root.put(f"/sys/block/dm-{n}/dev", f"254:{n}\n")
        root.put(f"/sys/block/dm-{n}/queue/write_cache", "write back\n")
        root.put(f"/run/udev/data/b254:{n}", f"E:ID_FS_TYPE=ocfs2\nE:ID_FS_LABEL=L{n}\n")
    now = parsed(root, "srv-a", "ocfs2")
    assert isinstance(now, Ocfs2Facts)
    found = now.filesystems["data"]
    assert (found.readable, found.kind, found.label, found.cache) == (
        True, "ocfs2", "L1", "write back",
    )  # fmt: skip
    assert now.mounts["/data"].kind == "ocfs2"
    assert "mounted" in gathered(root, "srv-a")["numbers", "o2cb"].lines
    live = gathered(root, "srv-a")["drbd", "traces-data"].lines
    assert "live it is mounted on /data" in live


def all_probes(chosen: Callable[[Probe], bool]) -> list[Probe]:
    found = (p for host in HOSTS for layer in LAYERS for p in layer.probes(GOAL, host))
    return [probe for probe in found if chosen(probe)]


LOOKED = {"addresses", "proc_mounts", "drbd_state", "drbd_shown", "drbd_files", "corosync_values",
          "corosync_conf", "pacemaker", "device_numbers"}  # fmt: skip


def test_a_plain_probe_does_no_harm_to_its_shell(tmp_path: Path) -> None:
    """Its frame has no subshell of its own."""
    assert {n for p in all_probes(lambda _: True) for look in p.needs for n in look.sets} == LOOKED
    root, marker = Root(tmp_path), Marker()
    for probe in all_probes(lambda p: p.plain):
        looked = "\n".join(f"{name}=kept" for name in sorted(LOOKED))
        state = 'pwd; echo "$- ${IFS-unset} $PATH"; set | grep -E "^(' + "|".join(LOOKED) + ')="'
        framed = marker.frame("0", render(probe.script, reveal=True), plain=True)
        script = (
            f"{marker.define()}{looked}\nunset IFS\n({state}) >before\n{framed}\n({state}) >after"
        )
        status, _ = root.shell(f"PATH={tmp_path}\ncd {tmp_path}\nPATH=/usr/bin:/bin\n{script}")
        assert status == 0
        assert (tmp_path / "before").read_text() == (tmp_path / "after").read_text(), probe.name
        assert not re.search(r"\b(exit|exec|trap)\b|\$\(\(", probe.script.text), probe.name


def test_a_look_sets_its_variables_whatever_is_there(tmp_path: Path) -> None:
    for look in {look for probe in all_probes(lambda _: True) for look in probe.needs}:
        for name in look.sets:
            text = f'{render(look.script, reveal=True)}\necho "=${{{name}-unset}}"'
            status, said = Root(tmp_path).shell(text)
            assert status == 0
            assert "=unset" not in said, name


def test_a_probe_is_given_the_variables_that_it_reads() -> None:
    known = {name for p in all_probes(lambda _: True) for look in p.needs for name in look.sets}
    for probe in all_probes(lambda _: True):
        given = {name for look in probe.needs for name in look.sets}
        read = {name for name in known if re.search(rf"\$\{{?{name}\b", probe.script.text)}
        assert read <= given, probe.name
        for look in probe.needs:
            assert read & set(look.sets), (probe.name, look.sets)


def test_what_waits_for_other_hosts_is_asked_first(root: Root) -> None:
    storage(root)
    gathered(root, "disk-a")
    tools = [line.split()[0] for line in asked(root)]
    assert tools.index("drbdsetup") > max(n for n, tool in enumerate(tools) if tool == "ping")
