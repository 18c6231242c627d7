"""One lab for the whole session: two application servers, every package installed.

Tests that use it run one after the other in one process; those that make labs of their own run
beside them in another.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator

import pytest
from cluster_site import DISK_BYTES, Site, make_site
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from sanglier.lab import control
from sanglier.lab.control import Lab
from sanglier.lab.record import Wish

OWN_LABS = ("test_lab_life.py", "test_stack_9_bare.py")


class TwoProcesses(LoadScopeScheduling):
    """Gives one process the files that make labs of their own, and another all the rest."""

    def _split_scope(self, nodeid: str) -> str:
        return "own-labs" if any(file in nodeid for file in OWN_LABS) else "shared-lab"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> TwoProcesses:
    """Take the place of xdist's schedulers, `pytest -n 2 --dist loadscope`."""
    return TwoProcesses(config, log)


def say(subject: str, what: str) -> None:
    os.write(2, f"{subject}: {what}\n".encode())


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The session's lab.  SANGLIER_TEST_LAB names one that is up, to be used and left up."""
    existing = os.environ.get("SANGLIER_TEST_LAB")
    if existing:
        yield control.find(existing)
        return
    control.down("test")
    try:
        yield control.up("test", Wish(applications=2, disk_bytes=DISK_BYTES), say)
    finally:
        control.down("test")


@pytest.fixture(scope="session")
def site(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The example's cluster on the session's lab, for the tests of test_stack_*.py.

    In a lab that is used again it stays with the lab: its secrets are those of the hosts.
    """
    if not os.environ.get("SANGLIER_TEST_LAB"):
        return make_site(lab, tmp_path_factory.mktemp("site"))
    directory = lab.place.state / "site"
    directory.mkdir(exist_ok=True)
    known = Site(lab=lab, directory=directory)
    return known if known.secrets.exists() else make_site(lab, directory)


def _small_labs() -> Iterator[Callable[..., Lab]]:
    names: list[str] = []

    def make(*hosts: str, wish: Wish | None = None) -> Lab:
        name = f"t-{uuid.uuid4().hex[:8]}"
        names.append(name)
        return control.up(name, wish or Wish(only=hosts or ("witness",)), say)

    yield make
    for name in names:
        control.down(name)


@pytest.fixture
def small_lab() -> Iterator[Callable[..., Lab]]:
    """Make labs of a few hosts, by default the witness alone; they go with the test."""
    yield from _small_labs()


@pytest.fixture(scope="module")
def module_lab() -> Iterator[Callable[..., Lab]]:
    """The same, for labs that go with the tests of one file."""
    yield from _small_labs()
