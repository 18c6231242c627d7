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


@pytest.fixture(autouse=True)
def whole_before_and_after(site: Site) -> Iterator[None]:
    site.assert_whole()
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
