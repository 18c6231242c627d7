"""The labs that tests share, each of two application servers with every package installed.

Two processes, three shares of the files (``Share``).  Within a share tests run one after the other,
in the order of their files; a file of the second lab needs no more than a converged cluster.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path

import able
import pytest
from cluster_site import DISK_BYTES, Site, make_site
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from sanglier.lab import life
from sanglier.lab.control import Lab
from sanglier.lab.place import place
from sanglier.lab.record import Wish

OWN_LABS = (
    "test_lab_life.py",
    "test_lab_qemu.py",
    "test_lab_rootless.py",
    "test_lab_trouble.py",
    "test_lab_volatile.py",
    "test_stack_0_quick.py",
    "test_stack_9_bare.py",
    "test_stack_9_two_volumes.py",
    "test_stack_9_volatile.py",
)
SECOND_LAB = (
    "test_lab_faults.py",
    "test_lab_hosts.py",
    "test_lab_power.py",
    "test_lab_preload.py",
    "test_stack_2_flushes.py",
    "test_stack_2_shut.py",
    "test_stack_3_trouble.py",
    "test_stack_4_clock.py",
    "test_stack_5_blank_disks.py",
    "test_stack_5_devices.py",
)
UNCONFIGURED = ("test_stack_1_apply.py", "test_stack_8_article.py")
"""Files that begin with no cluster; before any other the fixture ``site`` has one converged."""
for _file in (*OWN_LABS, *SECOND_LAB, *UNCONFIGURED):
    assert Path(__file__).with_name(_file).exists(), f"{_file} has another name now"

EXISTING = "SANGLIER_TEST_LAB"
"""Variable that names a lab that is up, to be used by all shares and left up."""
FIRST, SECOND = "test", "test-second"
"""Names of the labs."""


class Share(StrEnum):
    """What one process does in one piece, in the order in which they are begun.

    The longest is first.  The second is short, and its process goes on with the third.
    """

    FIRST_LAB = "first-lab"
    OWN_LABS = "own-labs"
    SECOND_LAB = "second-lab"

    @classmethod
    def of(cls, file: str) -> Share:
        """Tell whose share a file of tests is."""
        if file in OWN_LABS:
            return cls.OWN_LABS
        if file in SECOND_LAB and EXISTING not in os.environ:
            return cls.SECOND_LAB
        return cls.FIRST_LAB


class TwoProcesses(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each process one share, and the third to the first that has two tests left to do.

    That is when xdist hands out more; a process with more than two tests is given nothing ahead.
    """

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # by number of tests; ours is the collection's order

    def _split_scope(self, nodeid: str) -> str:
        return Share.of(Path(nodeid.partition("::")[0]).name)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Say once, and not with every test, why there can be no lab here."""
    begins = not (_in_two_processes() or session.config.option.collectonly)
    if begins and (lack := able.lack()):
        pytest.exit(lack, returncode=1)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> TwoProcesses:
    """Take the place of xdist's schedulers, `pytest -n 2 --dist loadscope`.

    What a run that was killed has left up would slow this one down until its turn came.
    """
    if EXISTING not in os.environ:
        for name in (FIRST, SECOND):
            if place(name).state.exists():
                life.down(name)
    return TwoProcesses(config, log)


def _in_two_processes() -> bool:
    return "PYTEST_XDIST_WORKER" in os.environ


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the shares into their order; one process alone goes by the files' names."""
    if _in_two_processes():
        order = list(Share)
        items.sort(key=lambda item: order.index(Share.of(item.path.name)))


def say(subject: str, what: str) -> None:
    os.write(2, f"{subject}: {what}\n".encode())


@pytest.fixture(scope="session")
def labs() -> Iterator[Callable[[str], Lab]]:
    """Make a lab of this name unless it is there; they go with the session."""
    begun: list[str] = []
    made: dict[str, Lab] = {}

    def get(name: str) -> Lab:
        if name not in made:
            life.down(name)
            begun.append(name)
            made[name] = life.up(name, Wish(applications=2, disk_bytes=DISK_BYTES), say)
        return made[name]

    yield get
    for name in begun:
        life.down(name)


@pytest.fixture(scope="module")
def lab(request: pytest.FixtureRequest, labs: Callable[[str], Lab]) -> Lab:
    """The lab of a file's share; one process alone has one lab."""
    if EXISTING in os.environ:
        return life.find(os.environ[EXISTING])
    second = Share.of(request.path.name) is Share.SECOND_LAB and _in_two_processes()
    return labs(SECOND if second else FIRST)


@pytest.fixture(scope="session")
def sites() -> dict[str, Site]:
    """Lab -> its cluster, once a test has asked for it."""
    return {}


@pytest.fixture(scope="module")
def site(
    request: pytest.FixtureRequest,
    lab: Lab,
    sites: dict[str, Site],
    tmp_path_factory: pytest.TempPathFactory,
) -> Site:
    """The example's cluster on the file's lab, for the tests of test_stack_*.py.

    It is converged, unless the lab's tests begin with a file that begins with nothing.
    """
    known = sites.get(lab.place.name)
    if known is None:
        known = _site(lab, tmp_path_factory)
        if request.path.name not in UNCONFIGURED:
            known.apply()
            known.assert_whole()
        sites[lab.place.name] = known
    return known


def _site(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Make its files; in a lab that is used again they stay with it: secrets are the hosts' own."""
    if EXISTING not in os.environ:
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
        return life.up(name, wish or Wish(only=hosts or ("witness",)), say)

    yield make
    for name in names:
        life.down(name)


@pytest.fixture
def small_lab() -> Iterator[Callable[..., Lab]]:
    """Make labs of a few hosts, by default the witness alone; they go with the test."""
    yield from _small_labs()


@pytest.fixture(scope="module")
def module_lab() -> Iterator[Callable[..., Lab]]:
    """The same, for labs that go with the tests of one file."""
    yield from _small_labs()
