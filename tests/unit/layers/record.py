"""Record every case anew from the real tools, in a lab of its own: about 15 minutes.

    cd tests/unit && python -m layers.record [PART]

Do this when a probe or a wanted file changes; then write the goldens anew
(``SANGLIER_UPDATE_GOLDEN=1 pytest tests/unit/layers``) and read the difference.
Each case is made by hand, recorded, and mended by ``apply``.  With PART it goes
on from there on a lab that an earlier run left up.
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

from sanglier.run.secrets import save

from .goal import FIXTURES, GOAL, SECRETS, TIMINGS
from .recordings import CASES
from .store_recording import store

LAB = "record"
IQN = "iqn.2009-02.fr.guiguiabloc:guiguiabloc.data"
TPG_B = f"/sys/kernel/config/target/iscsi/{IQN}.disk-b/tpgt_1"
DESTROY = ("--allow", "destroy:guiguiabloc")
WIPE_A, WIPE_B = ("--allow", "wipe:disk-a/ubdb"), ("--allow", "wipe:disk-b/ubdb")
REUSE = ("--allow", "reuse:disk-a/ubdb", "--allow", "reuse:disk-b/ubdb")
ZERO = "dd if=/dev/zero of=/dev/ubdb bs=1M 2>/dev/null; blockdev --flushbufs /dev/ubdb"
SLOW = "drbdsetup disk-options 0 --c-plan-ahead=0 --resync-rate="
IN_SYNC = "timeout 60 sh -c 'until grep -q ds:UpToDate/UpToDate /proc/drbd; do sleep 0.5; done'"
NET_A = "10.77.1.11:7789 10.77.1.12:7789"

WORK = Path(tempfile.gettempdir()) / f"sanglier-{LAB}"
FILE = WORK / "cluster.yaml"
SANGLIER = (sys.executable, "-m", "sanglier.cli.main")


def sanglier(*words: str, expect: tuple[int, ...] = (0,)) -> str:
    """Run a verb; raises when it ends otherwise than expected."""
    done = subprocess.run(
        [*SANGLIER, *words], env=environment(), text=True, timeout=600, check=False,
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


def record(case: str, base: str | None = "converged") -> None:
    """Read the hosts and keep the answers as a case."""
    place = WORK / "recording"
    shutil.rmtree(place, ignore_errors=True)
    sanglier("plan", str(FILE), "--record", str(place), expect=(0, 3, 4))
    store(place, case, base)
    print(case, flush=True)  # noqa: T201


def apply(*words: str, expect: tuple[int, ...] = (0,)) -> None:
    """Mend everything."""
    sanglier("apply", str(FILE), "--yes", *words, expect=expect)


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
    run.wait(timeout=300)


def blank() -> None:
    record("blank", None)
    on("disk-b", "mkfs.ext4 -q -L OLD /dev/ubdb")
    record("device-holds-ext4", "blank")
    on("disk-b", "mkdir -p /mnt/x && mount /dev/ubdb /mnt/x")
    record("device-in-use", "blank")
    on("disk-b", f"umount /mnt/x; {ZERO}; dd if=/dev/urandom of=/dev/ubdb bs=4k count=4 seek=1000; "
       "sync; blockdev --flushbufs /dev/ubdb")  # fmt: skip
    record("device-holds-bytes", "blank")
    on("disk-b", ZERO)
    apply()
    time.sleep(5)
    record("converged", None)


def drift(case: str, host: str, text: str) -> None:
    on(host, text)
    record(case)
    apply()


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
          "sed -i s/=61/=31/ /etc/default/o2cb && systemctl start o2cb")  # fmt: skip


def mirror() -> None:
    drift("drbd-detached", "disk-b", "drbdadm detach --force data; sleep 1")
    on("disk-b", IN_SYNC)
    lab("kill", "disk-b")
    time.sleep(25)
    record("disk-b-dead")
    lab("start", "disk-b")
    record("disk-b-rebooted")
    on("disk-b", f"modprobe drbd; drbdadm up data; {IN_SYNC}; {SLOW}500k")
    on("disk-a", f"{SLOW}500k")
    record("disk-b-half-up")
    on("disk-b", "drbdadm invalidate data; sleep 2")
    record("drbd-sync-target")
    on("disk-a", f"{SLOW}300M")
    on("disk-b", f"{SLOW}300M; {IN_SYNC}")
    drift("drbd-outdated", "disk-b", "drbdadm disconnect data; sleep 1; drbdadm outdate data")
    on("disk-b", "drbdadm disconnect data; sleep 5")
    record("drbd-stand-alone")
    apply(expect=(1,))
    record("drbd-split-brain")
    lab("kill", "disk-b")
    lab("start", "disk-b")
    on("disk-b", "modprobe drbd; drbdadm up data; drbdadm disconnect data; "
       "drbdadm connect --discard-my-data data")  # fmt: skip
    on("disk-a", f"drbdadm connect data; {IN_SYNC}")
    apply()


def outage() -> None:
    for host in ("srv-a", "srv-b", "disk-b", "disk-a"):
        lab("kill", host)
    lab("up")
    time.sleep(20)
    record("all-rebooted")
    apply()


def takedown() -> None:
    cut("destroy", "close and remove the target", *DESTROY)
    record("destroy-cut")
    destroy()
    record("destroyed")
    apply(*REUSE)
    destroy(*WIPE_B)
    record("one-side-wiped")
    destroy(*WIPE_B, *WIPE_A)


def cuts() -> None:
    record("wiped", "blank")
    cut("apply", "create metadata")
    record("metadata-just-made", "blank")
    cut("apply", "skip the first sync")
    record("first-sync-skipped", "blank")
    cut("apply", "discover the targets")
    record("apply-cut-at-discovery", "blank")
    cut("apply", "gather 4 paths")
    record("filesystem-not-made")


PARTS: tuple[Callable[[], None], ...] = (blank, drifts, mirror, outage, takedown, cuts)


def main(start: str) -> None:
    """Run every part from ``start`` on."""
    names = [part.__name__ for part in PARTS]
    WORK.mkdir(exist_ok=True)
    shutil.copy(FIXTURES / "cluster.yaml", FILE)
    save(FILE.with_suffix(".secrets"), SECRETS)
    if start == names[0]:
        shutil.rmtree(CASES)
        CASES.mkdir()
        lab("down")
    lab("up")
    for part in PARTS[names.index(start) :]:
        part()
    lab("down")


if __name__ == "__main__":
    assert GOAL.cluster.timings == TIMINGS
    main(sys.argv[1] if len(sys.argv) > 1 else PARTS[0].__name__)
