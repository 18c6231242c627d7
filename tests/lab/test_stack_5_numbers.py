"""Numbers in force stay with their names, whatever the order of the file says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cluster_site import Site

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

CONF = "cat /etc/ocfs2/cluster.conf"
NODES = (
    "cd /sys/kernel/config/cluster/guiguiabloc/node && for n in *; do echo $n $(cat $n/num); done"
)
APPLICATIONS, STORAGE = ("  srv-a:", "  srv-b:"), ("  disk-a:", "  disk-b:")


def swapped(text: str, names: tuple[str, str]) -> str:
    """Put the second of two mappings before the first."""
    lines = text.splitlines(keepends=True)
    starts = [next(n for n, line in enumerate(lines) if line.startswith(name)) for name in names]
    end = next(n for n, line in enumerate(lines) if n > starts[1] and not line.startswith("   "))
    first, second = lines[starts[0] : starts[1]], lines[starts[1] : end]
    return "".join((*lines[: starts[0]], *second, *first, *lines[end:]))


@pytest.fixture(scope="module", autouse=True)
def whole_before(site: Site) -> None:
    site.assert_whole()


@pytest.fixture(autouse=True)
def whole_after(site: Site) -> Iterator[None]:
    """Restore the file; what one test leaves whole the next one need not look at again."""
    text = site.file.read_text()
    yield
    site.file.write_text(text)
    site.assert_whole()


def test_application_servers_swapped_in_the_file_keep_their_numbers(site: Site) -> None:
    """One reboot later there would be two servers with one number and one journal."""
    before = {host: site.on(host, f"{CONF}; {NODES}") for host in ("srv-a", "srv-b")}
    site.file.write_text(swapped(site.file.read_text(), APPLICATIONS))
    site.apply()
    assert {host: site.on(host, f"{CONF}; {NODES}") for host in before} == before


def test_no_order_of_the_file_gives_a_plan(site: Site) -> None:
    """Storage servers give ALUA group ids and Corosync's node ids, the first one the preference."""
    text = site.file.read_text().replace("    prefer: disk-a\n", "")
    for names in (STORAGE, APPLICATIONS):
        text = swapped(text, names)
        site.file.write_text(text)
        plan = site.plan()
        assert (plan["steps"], plan["problems"]) == ([], [])


def test_a_file_that_says_otherwise_is_refused_with_the_line_to_write(site: Site) -> None:
    text = site.file.read_text().replace("    ssh: srv-a\n", "    ssh: srv-a\n    node: 1\n")
    text = text.replace("    mount: /data\n", "    mount: /data\n    minor: 4\n")
    site.file.write_text(text.replace("    ssh: srv-b\n", "    ssh: srv-b\n    node: 0\n"))
    said = site.refused("apply", "--yes")
    assert said.count("[SG-NUM-001]") == 3
    for line in ("`node: 0` under `applications: srv-a:`", "`minor: 0` under `volumes: data:`"):
        assert line in " ".join(said.split())
    assert "nothing was changed" in said


def test_numbers_changed_by_hand_in_one_servers_file_do_not_come_up_and_are_mended(
    site: Site,
) -> None:
    """What counts is what runs on the server that has the volume mounted."""
    site.on("srv-a", "sed -i 's/number = 0/number = X/; s/number = 1/number = 0/; "
            "s/number = X/number = 1/' /etc/ocfs2/cluster.conf; systemctl stop data.mount; "
            "systemctl restart o2cb && exit 1; systemctl start data.mount && exit 1; "
            "journalctl -u o2cb -n 20 --no-pager | grep -q 'sanglier wrote'")  # fmt: skip
    assert set(site.steps()) == {f"srv-a/ocfs2/{what}" for what in ("cluster.conf", "o2cb", "data")}
    site.apply()
    assert site.on("srv-a", CONF) == site.on("srv-b", CONF)


def test_while_one_server_has_it_mounted_no_o2cb_gets_other_timeouts(site: Site) -> None:
    site.on("srv-a", "systemctl stop data.mount")
    site.file.write_text(site.file.read_text().replace("timings: safe", "timings: fast"))
    plan = site.plan()
    touched = {s["address"] for s in plan["steps"] if s["layer"] == "ocfs2"}
    assert touched == {"srv-a/ocfs2/data"}
    held = {problem["address"] for problem in plan["problems"] if problem["code"] == "SG-FS-004"}
    assert held == {"srv-a/ocfs2/o2cb", "srv-b/ocfs2/o2cb"}
    site.on("srv-a", "systemctl start data.mount")
