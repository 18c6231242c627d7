"""The wheel is whole, and works where nothing but what it asks for is installed.

What it asks for is lent from this environment, one distribution at a time: so it is known that
nothing else is needed, and no network either.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import Parser
from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from sanglier import __version__

TREE = Path(__file__).parents[3]
INFO = f"sanglier-{__version__}.dist-info"
DATA = f"sanglier-{__version__}.data/data/share"


@dataclass(frozen=True)
class Installed:
    """An environment of its own with the wheel in it."""

    root: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run it from an empty folder, with nothing of the tree and no tool in reach."""
        folder = self.root / "elsewhere"
        folder.mkdir(exist_ok=True)
        return subprocess.run(
            [str(self.root / "bin" / words[0]), *words[1:]], cwd=folder,
            env={"HOME": str(folder), "SANGLIER_CACHE": "/nowhere", "SANGLIER_LAB_DIR": "/nowhere"},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip


def requirements(name: str) -> Iterator[Requirement]:
    """What a distribution asks for here, without extras."""
    for text in distribution(name).requires or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement


def closure(names: set[str]) -> set[str]:
    """All distributions that these need, with themselves."""
    found: set[str] = set()
    while names:
        found |= names
        names = {needed.name for name in names for needed in requirements(name)} - found
    return found


def lend(name: str, into: Path) -> None:
    """Put what a distribution has in site-packages into another one."""
    files = [Path(str(file)) for file in distribution(name).files or ()]
    for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
        source, link = distribution(name).locate_file(top), into / top
        if not link.exists():
            link.symlink_to(Path(str(source)).resolve())


@pytest.fixture(name="wheel", scope="module")
def fixture_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=TREE, capture_output=True, check=True,
    )  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(name="metadata", scope="module")
def fixture_metadata(wheel: Path) -> dict[str, list[str]]:
    with ZipFile(wheel) as opened:
        message = Parser().parsestr(opened.read(f"{INFO}/METADATA").decode())
    return {key: [str(value) for value in message.get_all(key, [])] for key in set(message)}


@pytest.fixture(name="installed", scope="module")
def fixture_installed(
    wheel: Path, metadata: dict[str, list[str]], tmp_path_factory: pytest.TempPathFactory
) -> Installed:
    root = tmp_path_factory.mktemp("environment")
    venv.create(root, with_pip=False, symlinks=True)
    pip = (sys.executable, "-m", "pip", "--python", str(root / "bin/python"))
    subprocess.run(
        [*pip, "install", "-q", "--no-index", "--no-deps", "--no-compile", str(wheel)],
        capture_output=True, check=True,
    )  # fmt: skip
    wanted = {Requirement(text) for text in metadata["Requires-Dist"]}
    plain = {each.name for each in wanted if not (each.marker and "extra" in str(each.marker))}
    (site,) = root.glob("lib/python*/site-packages")
    for name in closure(plain):
        lend(name, site)
    return Installed(root)


def test_a_plain_install_brings_four_packages(metadata: dict[str, list[str]]) -> None:
    plain = {text for text in metadata["Requires-Dist"] if "extra" not in text}
    assert {Requirement(text).name for text in plain} == {
        "pydantic", "rich", "ruamel-yaml", "typer"
    }  # fmt: skip


def test_the_metadata_is_whole(metadata: dict[str, list[str]]) -> None:
    assert metadata["Version"] == [__version__]
    assert metadata["License-Expression"] == ["Apache-2.0"]
    assert metadata["Description-Content-Type"] == ["text/markdown"]
    assert metadata["Requires-Python"] == [">=3.11"]
    assert {"lab"} <= set(metadata["Provides-Extra"])
    assert {"Author", "Classifier", "Keywords", "License-File", "Summary"} <= set(metadata)


def test_every_file_of_the_package_is_in_it(wheel: Path) -> None:
    with ZipFile(wheel) as opened:
        names = set(opened.namelist())
    source = TREE / "src"
    files = (path for path in (source / "sanglier").rglob("*") if path.is_file())
    ours = {str(path.relative_to(source)) for path in files if "__pycache__" not in path.parts}
    assert "sanglier/lab/image/preload.c" in ours
    assert sorted(ours - names) == []
    shared = {
        f"{DATA}/man/man1/sanglier.1", f"{DATA}/bash-completion/completions/sanglier",
        f"{DATA}/doc/sanglier/examples/lab.yaml",
    }  # fmt: skip
    assert sorted(shared - names) == []


def test_the_debian_package_is_of_the_same_version() -> None:
    """scripts/build-deb proves the rest."""
    assert (TREE / "debian/changelog").read_text().startswith(f"sanglier ({__version__}) ")


def test_it_says_its_version(installed: Installed) -> None:
    assert installed.run("sanglier", "--version").stdout == f"sanglier {__version__}\n"


def test_it_is_not_the_tree_that_answers(installed: Installed) -> None:
    text = "import sanglier; print(sanglier.__file__)"
    assert installed.run("python", "-c", text).stdout.startswith(str(installed.root))


def test_it_validates_a_file(installed: Installed) -> None:
    shutil.copy(TREE / "examples/lab.yaml", installed.root / "lab.yaml")
    done = installed.run("sanglier", "validate", "../lab.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert "guiguiabloc" in done.stdout


@pytest.mark.parametrize("verb", [("lab", "up"), ("demo", "../lab.yaml")], ids=" ".join)
def test_the_lab_names_the_extra_that_is_missing(
    installed: Installed, verb: tuple[str, ...]
) -> None:
    done = installed.run("sanglier", *verb)
    assert done.returncode != 0
    assert "[SG-LAB-017]" in done.stderr
    assert "sanglier[lab]" in done.stderr


def test_every_verb_can_be_asked_for_help_and_every_script_be_read(installed: Installed) -> None:
    text = (
        "from sanglier.cli.main import application; application(); "
        "from sanglier.lab import choice, image; "
        "[image.recipe(image.Kind.FULL, b.kernel) for b in choice.BACKENDS.values()]; "
        "import sanglier.cli.plan; print('whole')"
    )
    done = installed.run("python", "-W", "error", "-c", text)
    assert (done.stdout, done.stderr) == ("whole\n", "")
