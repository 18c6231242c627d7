"""Record every case anew from the real tools, in a lab of its own: about half an hour.

    cd tests/unit && python -m layers.record [PART]

Do this when a probe or a wanted file changes; then write the goldens anew
(``SANGLIER_UPDATE_GOLDEN=1 pytest tests/unit/layers``) and read the difference.
Each case is made by hand, recorded, and mended by the cluster itself or by
``apply``.  With PART it goes on from there on a lab that an earlier run left up.
The fixtures are replaced at the end, when all is recorded.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sanglier.lab.place import place as lab_place
from sanglier.layers.cluster import cib
from sanglier.run.secrets import save
from sanglier.spec.load import load

from .goal import (
    ARTICLE,
    ARTICLE_FILE,
    BMC_PASSWORD,
    FIXTURES,
    GOAL,
    GUARDED_FILE,
    SECRETS,
    TIMINGS,
)
from .store_recording import store
from .today import WANTED_THEN

LAB = "record"
RELEASE, OLDER = "13", "12"
"""Debian's on the hosts: all cases are of the first, and of the second a converged cluster."""
IQN = "iqn.2009-02.fr.guiguiabloc:guiguiabloc.data"
TPG_B = f"/sys/kernel/config/target/iscsi/{IQN}.disk-b/tpgt_1"
DISK = "/dev/mapper/disk"
DESTROY = ("--allow", "destroy:guiguiabloc")
WIPE_A, WIPE_B = ("--allow", "wipe:disk-a/mapper/disk"), ("--allow", "wipe:disk-b/mapper/disk")
REUSE = ("--allow", "reuse:disk-a/mapper/disk", "--allow", "reuse:disk-b/mapper/disk")
TEACH = ("--allow", "article:guiguiabloc")
ZERO = f"dd if=/dev/zero of={DISK} bs=1M 2>/dev/null; blockdev --flushbufs {DISK}"
SLOW = "drbdsetup disk-options 0 --c-plan-ahead=0 --resync-rate="
NET_A = "10.77.1.11:7789 10.77.1.12:7789"
TOKEN_EDITED = "sed -i 's/token: 3000/token: 2900/' /etc/corosync/corosync.conf"
UP_BY_HAND = "systemctl stop pacemaker; drbdadm up data"
"""On disk-b: its engine stopped, its side of the mirror Secondary and connected by hand."""
WHOLE = """
seen() { crm_resource -r "$1" --locate 2>/dev/null | grep -c 'is running on'; }
guarded() {
    [ "$(seen "$1")" = 1 ] && return
    crm_resource --cleanup -r "$1" >/dev/null 2>&1
    return 1
}
whole() {
    grep -q 'cs:Connected ro:Primary/Primary ds:UpToDate/UpToDate' /proc/drbd &&
    [ "$(seen data-lun)" = 2 ] && [ "$(seen data-open)" = 1 ] &&
    guarded fence-disk-a-1 && guarded fence-disk-b-1
}
"""
"""Shell: everything runs that the cluster runs by itself.  On a busy machine a look at a power
switch may take too long, and is then forgotten."""

WORK = Path(tempfile.gettempdir()) / f"sanglier-{LAB}"
FILE, ARTICLE_COPY = WORK / "cluster.yaml", WORK / "article.yaml"
SANGLIER = (sys.executable, "-m", "sanglier.cli.main")


def sanglier(*words: str, expect: tuple[int, ...] = (0,)) -> str:
    """Run a verb; raises when it ends otherwise than expected."""
    done = subprocess.run(
        [*SANGLIER, *words], env=environment(), text=True, timeout=900, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode not in expect:
        raise RuntimeError(f"{' '.join(words)}: {done.returncode}\n{done.stdout}")
    return done.stdout


def environment() -> dict[str, str]:
    """Keep the journals of these runs apart, and reach the lab."""
    config = f"/run/sanglier/lab/{LAB}/ssh_config"
    return {**os.environ, "XDG_STATE_HOME": str(WORK / "state"), "SANGLIER_SSH_CONFIG": config}


def lab(*words: str) -> None:
    """Run a verb of the lab."""
    sanglier("lab", *words, "--name", LAB)


def on(host: str, text: str) -> None:
    """Run shell text on a host; what it ends with is of no interest."""
    sanglier("lab", "exec", host, "--name", LAB, "--", "sh", "-c", f"{text}\n:")


def until(host: str, condition: str, seconds: int = 300, define: str = "") -> None:
    """Wait until a shell condition holds on a host; raises when it does not in time."""
    loop = f"until {condition}; do sleep 1; done"
    waiting = f"{define}\nend=$(($(date +%s) + {seconds}))\n" + loop.replace(
        "sleep 1",
        '[ "$(date +%s)" -lt "$end" ] || { crm_mon -1r; cat /proc/drbd; exit 1; }; sleep 1',
    )
    sanglier("lab", "exec", host, "--name", LAB, "--", "sh", "-c", waiting)


def settled() -> None:
    """Wait until the cluster has brought back by itself all that it runs."""
    until("disk-a", "whole", define=WHOLE)


def record(case: str, base: str | None = "converged") -> None:
    """Read the hosts and keep the answers as a case."""
    read(FILE)
    store(WORK / "recording", WORK / "cases" / case, base)
    print(f"{time.strftime('%H:%M:%S')} {case}", flush=True)  # noqa: T201


def record_article(case: str) -> None:
    """The same in the article's mode."""
    read(ARTICLE_COPY)
    store(WORK / "recording", WORK / "article" / case, goal=ARTICLE)
    print(f"{time.strftime('%H:%M:%S')} article/{case}", flush=True)  # noqa: T201


def record_older(case: str) -> None:
    """The same on hosts of the older release."""
    read(FILE)
    store(WORK / "recording", WORK / "older" / case)
    print(f"{time.strftime('%H:%M:%S')} older/{case}", flush=True)  # noqa: T201


def read(file: Path) -> None:
    """Ask the hosts of a cluster."""
    shutil.rmtree(WORK / "recording", ignore_errors=True)
    sanglier("plan", str(file), "--record", str(WORK / "recording"), expect=(0, 3, 4))


def apply(*words: str, expect: tuple[int, ...] = (0,)) -> None:
    """Mend everything."""
    print(sanglier("apply", str(FILE), "--yes", *words, expect=expect), flush=True)  # noqa: T201


def mend() -> None:
    """Mend everything, and wait for what comes back by itself."""
    apply()
    settled()


def destroy(*words: str) -> None:
    """Take everything down."""
    sanglier("destroy", str(FILE), "--yes", *DESTROY, *words)


def cut(verb: str, summary: str, *words: str) -> None:
    """Interrupt a run as soon as a step with ``summary`` has ended."""
    run = subprocess.Popen(
        [*SANGLIER, verb, str(FILE), "--yes", "--json-events", *words],
        env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert run.stdout is not None
    for line in run.stdout:
        if summary in line and '"StepEnded"' in line:
            run.send_signal(signal.SIGINT)
    run.wait(timeout=600)


def blank() -> None:
    record("blank", None)
    on("disk-b", f"mkfs.ext4 -q -L OLD {DISK}")
    record("device-holds-ext4", "blank")
    on("disk-b", f"mkdir -p /mnt/x && mount {DISK} /mnt/x")
    record("device-in-use", "blank")
    on("disk-b", f"umount /mnt/x; {ZERO}; dd if=/dev/urandom of={DISK} bs=4k count=4 seek=1000; "
       f"sync; blockdev --flushbufs {DISK}")  # fmt: skip
    record("device-holds-bytes", "blank")
    on("disk-b", ZERO)
    mend()
    time.sleep(5)
    record("converged", None)
    (WORK / "wanted.xml").write_text(cib.as_text(cib.configuration(GOAL.cluster)))


def drift(case: str, host: str, text: str) -> None:
    on(host, text)
    record(case)
    mend()


def drifts() -> None:
    drift("multipath-conf-edited", "srv-b",
          "sed -i 's/no_path_retry queue/no_path_retry 5/' /etc/multipath.conf")  # fmt: skip
    drift("session-logged-out", "srv-a",
          f"iscsiadm -m node -T {IQN}.disk-b -p 10.77.3.12 --logout")  # fmt: skip
    drift("filesystem-unmounted", "srv-b", "umount /data")
    drift("drbd-option-changed", "disk-a",
          f"drbdsetup net-options {NET_A} --ping-int=33 --ko-count=2")  # fmt: skip
    drift("acl-removed", "disk-b",
          f"cd {TPG_B}/acls/*srv-a && rm lun_0/data && rmdir lun_0 && rmdir ../*srv-a")  # fmt: skip
    drift("acl-of-a-stranger", "disk-b", f"mkdir {TPG_B}/acls/iqn.1993-08.org.debian:01:stranger")
    drift("multipathd-stopped", "srv-a", "systemctl stop multipathd.socket multipathd.service")
    drift("iscsid-stopped", "srv-b", "systemctl stop iscsid.socket iscsid.service")
    drift("o2cb-values-changed", "srv-b",
          "systemctl stop data.mount && systemctl stop o2cb && "
          "sed -i s/=61/=31/ /etc/sanglier/o2cb && systemctl start o2cb")  # fmt: skip
    timeouts()
    options()
    drift(
        "tree-edited",
        "disk-b",
        "sed -i s/InitialR2T\\ No/InitialR2T\\ Yes/ /etc/sanglier/targets/data",
    )


def options() -> None:
    """A mount whose options somebody changed."""
    drift("mounted-with-other-options", "srv-b",
          "LIBMOUNT_FORCE_MOUNT2=always mount --options-source mtab "
          "-o remount,atime,relatime,barrier=0,commit=60 /data")  # fmt: skip


def timeouts() -> None:
    """Files that are right, and something else in force."""
    conf = "/etc/multipath.conf"
    other = f"sed -i.was 's/checker_timeout 15/checker_timeout 30/' {conf}"
    drift("multipath-not-reread", "srv-b",
          f"{other}; multipathd reconfigure; sleep 3; mv {conf}.was {conf}")  # fmt: skip
    drift("queueing-disabled", "srv-a", "multipathd disablequeueing map sanglier-data")
    recoveries = "/sys/class/iscsi_session/session*/recovery_tmo"
    drift("recovery-set-by-hand", "srv-b", f"for file in {recoveries}; do echo 120 > $file; done")
    node = f"iscsiadm -m node -T {IQN}.disk-b -p 10.77.3.12"
    abort = f"{node} -o update -n node.session.err_timeo.abort_timeout -v"
    interval = f"{node} -o update -n 'node.conn[0].timeo.noop_out_interval' -v"
    drift("session-with-stock-timeouts", "srv-a",
          f"{abort} 15; {interval} 10; {node} --logout; {node} --login; "
          f"{abort} 10; {interval} 3; sleep 5")  # fmt: skip


def engine() -> None:
    drift("engine-stopped", "disk-b", "systemctl stop pacemaker")
    drift("cib-edited", "disk-a", "crm_resource -r data-open --meta "
          "--set-parameter resource-stickiness --parameter-value 0")  # fmt: skip
    drift("fencing-disabled", "disk-a", "crm_attribute --name stonith-enabled --update false")
    drift("corosync-conf-edited", "disk-b", TOKEN_EDITED)
    on("disk-a", TOKEN_EDITED)
    drift("corosync-reloaded", "disk-b", f"{TOKEN_EDITED}; corosync-cfgtool -R; sleep 2")
    drift("witness-stopped", "witness", "systemctl stop corosync-qnetd; sleep 15")
    sanglier("move", str(FILE), "data", "--to", "disk-b")
    record("side-moved")
    sanglier("move", str(FILE), "data", "--to", "disk-a")
    sanglier("maintain", str(FILE), "disk-b")
    record("node-in-standby")
    sanglier("maintain", str(FILE), "disk-b", "--done")
    settled()


def mirror() -> None:
    on("disk-b", "crm_resource -r data-target --ban --node disk-b; sleep 8")
    record("disk-b-half-up")
    on("disk-b", f"{SLOW}500k")
    on("disk-a", f"{SLOW}500k")
    on("disk-b", "drbdadm invalidate data; sleep 2")
    record("drbd-sync-target")
    on("disk-a", f"{SLOW}300M")
    on("disk-b", f"{SLOW}300M; crm_resource -r data-target --clear --node disk-b")
    settled()
    mend()
    drift("drbd-detached", "disk-b", "drbdadm detach --force data; sleep 1")
    on("disk-b", UP_BY_HAND)
    until("disk-b", "grep -q ds:UpToDate/UpToDate /proc/drbd")
    drift("drbd-outdated", "disk-b", "drbdadm disconnect data; sleep 2")


def split() -> None:
    on("disk-b", UP_BY_HAND)
    until("disk-b", "grep -q ds:UpToDate/UpToDate /proc/drbd")
    on("disk-b", "drbdadm disconnect data; drbdsetup disk-options 0 --fencing=dont-care; "
       "drbdadm primary --force data; dd if=/dev/urandom of=/dev/drbd0 bs=4k count=1 "
       "seek=250000 oflag=direct; drbdadm secondary data")  # fmt: skip
    record("drbd-stand-alone")
    on("disk-b", "drbdsetup disk-options 0 --fencing=resource-and-stonith")
    apply(expect=(0, 1, 3))
    record("drbd-split-brain")
    on("disk-b", "systemctl stop pacemaker; drbdadm up data; drbdadm secondary data; "
       "drbdadm disconnect data; drbdadm connect --discard-my-data data")  # fmt: skip
    on("disk-a", "drbdadm connect data")
    until("disk-b", "grep -q ds:UpToDate/UpToDate /proc/drbd")
    mend()


def failures() -> None:
    lab("cut", "disk-b", "bmc")
    until("disk-a", "crm_resource -r fence-disk-b-1 --locate 2>&1 | grep -qi 'not running'")
    record("fence-device-wrong")
    lab("heal", "disk-b", "bmc")
    on("disk-a", "crm_resource --cleanup")
    settled()
    lab("kill", "witness")
    time.sleep(20)
    record("witness-dead")
    lab("start", "witness")
    settled()
    mend()
    on("disk-b", "systemctl stop pacemaker corosync-qdevice corosync")
    lab("kill", "disk-b")
    time.sleep(10)
    record("disk-b-off")
    lab("start", "disk-b")
    record("disk-b-rebooted")
    settled()
    mend()


def lost() -> None:
    lab("cut", "disk-b", "bmc")
    lab("kill", "disk-b")
    time.sleep(12)
    record("disk-b-dead")
    lab("heal", "disk-b", "bmc")
    until("disk-a", "crm_mon -1 | grep -q 'OFFLINE: .*disk-b'")
    lab("start", "disk-b")
    settled()
    mend()


def link() -> None:
    lab("cut", "disk-b", "replication")
    time.sleep(15)
    until("disk-a", "crm_mon -1 | grep -q 'Online:.*disk-a disk-b'")
    time.sleep(45)
    record("replication-cut")
    lab("heal", "disk-b", "replication")
    settled()
    mend()


def outage() -> None:
    for host in ("disk-a", "disk-b", "srv-a", "srv-b"):
        lab("kill", host)
    lab("up")
    settled()
    time.sleep(20)
    record("all-rebooted")
    mend()


def takedown() -> None:
    cut("destroy", "stop pacemaker, corosync-qdevice and corosync", *DESTROY)
    record("destroy-cut")
    destroy()
    record("destroyed")
    apply(*REUSE)
    settled()
    destroy(*WIPE_B)
    record("one-side-wiped")
    destroy(*WIPE_B, *WIPE_A)


def cuts() -> None:
    record("wiped", "blank")
    cut("apply", "create metadata")
    record("metadata-just-made", "blank")
    cut("apply", "skip the first sync")
    record("first-sync-skipped", "blank")
    cut("apply", "wait until the storage servers agree")
    record("engine-just-started", "blank")
    cut("apply", "load Pacemaker's configuration")
    record("configuration-just-loaded", "blank")
    cut("apply", "discover the targets")
    record("apply-cut-at-discovery", "blank")
    cut("apply", "gather 4 paths")
    record("filesystem-not-made")


def article() -> None:
    apply()
    destroy(*WIPE_B, *WIPE_A)
    record_article("blank")
    sanglier("apply", str(ARTICLE_COPY), "--yes", *TEACH)
    record_article("converged")


def older() -> None:
    boot(OLDER)
    apply()
    time.sleep(5)
    record_older("converged")


PARTS: tuple[Callable[[], None], ...] = (
    blank, drifts, engine, mirror, split, failures, lost, link, outage, takedown, cuts, article,
    older,
)  # fmt: skip


def prepare() -> None:
    """Give the run, and the lab's power switches, the secrets of the goal."""
    WORK.mkdir(exist_ok=True)
    for file, copy in ((GUARDED_FILE, FILE), (ARTICLE_FILE, ARTICLE_COPY)):
        assert load(file).timings == TIMINGS, "the named set has changed: change goal.py too"
        shutil.copy(file, copy)
        save(copy.with_suffix(".secrets"), SECRETS)


def boot(release: str) -> None:
    """Begin on hosts that were never used."""
    lab("down")
    password = lab_place(LAB).bmc_password
    password.parent.mkdir(parents=True, mode=0o700)
    password.write_text(BMC_PASSWORD)
    password.chmod(0o600)
    lab("up", "--release", release)


def publish() -> None:
    """Put what was recorded in the place of the fixtures."""
    for name in ("cases", "article", "older"):
        shutil.rmtree(FIXTURES / name, ignore_errors=True)
        shutil.copytree(WORK / name, FIXTURES / name)
    shutil.copy(WORK / "wanted.xml", WANTED_THEN)


def main(start: str) -> None:
    """Run every part from ``start`` on."""
    names = [part.__name__ for part in PARTS]
    prepare()
    if start == names[0]:
        shutil.rmtree(WORK / "cases", ignore_errors=True)
        boot(RELEASE)
    for part in PARTS[names.index(start) :]:
        part()
    lab("down")
    publish()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else PARTS[0].__name__)
