"""The prover is proved on the real kernels: what is planted must be INVALID, by its own check.

Not here: switch-lies, after which the cluster is not whole by itself, and a damaged filesystem,
which the tests after it would have.  All defects, and where they are planted: the table in
docs/explanation/evidence.md.
"""

from __future__ import annotations

import subprocess
import time

import pytest
from cluster_site import SIDE, Site
from drilled import drill, drill_while, last_run, verdicts

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]

# The file of the drill that is just beginning, as soon as it has some 80 records; in a minute and a
# half it must be there.
SHORTEN = """
since=$(date +%s)
until file=$(find /data/.sanglier-drill -path '*/appends/srv-a' -newermt "@$since" -size +20b) &&
    [ -n "$file" ]
do
    sleep 0.5
    [ $(($(date +%s) - since)) -lt 90 ]
done
truncate -s -128 "$file"
"""
AGENT, MARK = "/usr/lib/ocf/resource.d/sanglier/side", "/run/sanglier/open-data"
OPENED = "/run/sanglier/opened-data"
UNSHUT_S = 13
"""Longer than the 10 s within which the guard must shut it; its next look is before the drill asks
whether all is as declared."""
# The agent of the side sees nothing, and the target's agent believes that Pacemaker has opened it.
BLINDFOLD = rf"""
cp -p {AGENT} {AGENT}.kept
printf '#!/bin/sh\n[ "$1" = monitor ] && exit 7\n' > {AGENT}
echo open > {MARK}
"""
SEE_AGAIN = f"[ ! -e {AGENT}.kept ] || mv {AGENT}.kept {AGENT}"


def assert_found_by(site: Site, done: subprocess.CompletedProcess[str], check: str) -> None:
    told = done.stdout + done.stderr
    assert done.returncode == 1, told
    found = verdicts(last_run(site))
    assert found.pop(check) == "INVALID", told
    assert set(found.values()) == {"VALID"}, told


def test_a_late_write_is_found(site: Site) -> None:
    """An old block is put back with dd onto the replicated device, under the filesystem."""
    done = drill(site, "late-write")
    assert_found_by(site, done, "late")
    assert "a late write:" in done.stdout + done.stderr
    site.assert_whole()


def test_an_acknowledged_record_that_is_gone_is_found(site: Site) -> None:
    """Its file is cut short by one record, on the mounted filesystem, while its writer goes on."""

    def shorten() -> None:
        site.on("srv-a", SHORTEN)

    done = drill_while(site, shorten, "multipathd-killed", "--quick")
    assert_found_by(site, done, "lost")
    site.assert_whole()


@pytest.mark.long
def test_a_side_that_nobody_shuts_is_found(site: Site) -> None:
    """The guard's agents on the standby server are blind for 13 s, and then shut it."""

    def hold_off() -> None:
        try:
            site.until("disk-b", f'[ "$(cat {SIDE})" = 0 ]')
            time.sleep(UNSHUT_S)
        finally:
            site.on("disk-b", SEE_AGAIN)

    assert site.open_on() == "disk-a"
    site.on("disk-b", BLINDFOLD)
    done = drill_while(site, hold_off, "side-opened-by-hand", "--quick")
    site.until("disk-b", f'[ "$(cat {SIDE})" = 2 ]')
    site.on("disk-b", f"rm -f {OPENED}")
    assert_found_by(site, done, "both-open")
    site.assert_whole()


@pytest.mark.long
def test_a_lie_about_a_server_that_still_talks_is_not_believed(site: Site) -> None:
    done = drill(site, "link-cut-switch-lies", "--quick")
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(verdicts(last_run(site)).values()) == {"VALID"}
    site.assert_whole()
