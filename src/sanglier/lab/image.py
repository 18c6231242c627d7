"""Images: built once from a recipe, then only read.

A build works in a directory of its own and renames it at the very end, so that
a cached image is whole or absent.  It runs in its own mount and process
namespaces and dies with the process that started it.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path

from sanglier.lab import lock, mirror, preflight
from sanglier.lab.command import CONTAINED, failure, run
from sanglier.lab.errors import LabError, refuse
from sanglier.lab.kernel import Kernel, refuse_unsafe
from sanglier.lab.place import cache_dir, run_dir
from sanglier.lab.recipe import (
    RELEASE,
    KernelSource,
    Kind,
    Recipe,
    hook_environment,
    mmdebstrap_argv,
    parse_sources,
)

Report = Callable[[str, str], None]
"""Called with a subject and what just happened to it."""

SIZE = "3G"
"""Size of the root filesystem; the file is sparse."""

NEEDED_BYTES = 2 << 30
"""Free space asked for before a build: a root directory, an image, downloads."""

BUILD_SECONDS = 900
UNUSED_SECONDS = 24 * 3600
SCRIPTS = (
    "customize.sh", "init", "kernel-check", "masked-units", "masked-generators",
    "console-shell.service", "udev-trigger.conf", "ssh.conf",
)  # fmt: skip
"""Of every image; a back end has more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A cached image."""

    key: str
    directory: Path
    kernel: Kernel
    files: Mapping[str, int] = field(default_factory=dict)
    """Its files, by their names in it, and their sizes; images of before know none."""

    @property
    def root(self) -> Path:
        """The ext4 root filesystem, never written to."""
        return self.directory / "root.ext4"

    @property
    def linux(self) -> Path:
        """The kernel."""
        return self.directory / "linux"

    @property
    def mirror(self) -> Path:
        """Package mirror; only beside a bare image."""
        return self.directory / "mirror"


def recipe(kind: Kind, kernel: KernelSource, release: str = RELEASE) -> Recipe:
    """Read the recipe of this version of Sanglier for hosts of a release of Debian."""
    folder = resources.files("sanglier.lab") / "image"
    scripts = tuple((n, (folder / n).read_text()) for n in (*SCRIPTS, *kernel.scripts))
    return Recipe(kind=kind, kernel=kernel, scripts=scripts, release=release)


def load(directory: Path) -> Image | None:
    """Read a cached image, or None if there is none."""
    try:
        found = json.loads((directory / "manifest.json").read_text())
        kernel = Kernel(**found["kernel"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise _broken(directory, "manifest.json is no manifest") from error
    files = {str(name): int(size) for name, size in found.get("files", {}).items()}
    return Image(key=directory.name, directory=directory, kernel=kernel, files=files)


def refuse_broken(image: Image) -> None:
    """Refuse an image of which a file is missing or shorter than it was built: SG-LAB-043."""
    there = _sizes(image.directory)
    for name, size in image.files.items():
        if there.get(name) != size:
            raise _broken(image.directory, f"{name} has {there.get(name, 0)} bytes of {size}")


def _sizes(directory: Path) -> dict[str, int]:
    """Files, by their names in ``directory``, and their sizes."""
    files = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return {str(path.relative_to(directory)): path.stat().st_size for path in files}


def _broken(directory: Path, why: str) -> LabError:
    return refuse(
        43, "lab up", f"cannot use the image {directory}: it is not whole", why=why,
        fix=f"`lab down` the labs that were made from it, then `rm -r {directory}`: "
        "`lab up` builds it anew",
    )  # fmt: skip


def ensure(kind: Kind, release: str, kernel: KernelSource, report: Report) -> Image:
    """Find the image in the cache or build it; its kernel is checked either way."""
    wanted = recipe(kind, kernel, release)
    images = cache_dir() / "images"
    image = load(images / wanted.key)
    if image is None:
        images.mkdir(parents=True, exist_ok=True)
        _check_build(wanted, images)
        report(wanted.key, "is not in the cache: building it (about a minute)")
        with lock.whole(images / f"{wanted.key}.lock", "image build", patience=BUILD_SECONDS):
            image = load(images / wanted.key) or _build(wanted, images, report)
        prune(images, keep=wanted.key)
        _sweep(images)
    refuse_broken(image)
    refuse_unsafe(image.kernel)
    os.utime(image.directory)
    return image


def prune(images: Path, *, keep: str) -> None:
    """Remove images of older recipes that no lab has and nobody asked for since yesterday."""
    kept = {keep} | used_images()
    for directory in images.iterdir():
        old = directory.stat().st_mtime < time.time() - UNUSED_SECONDS
        if old and directory.name not in kept and (directory / "manifest.json").exists():
            (directory / "manifest.json").unlink()
            shutil.rmtree(directory, ignore_errors=True)
            directory.with_name(f"{directory.name}.lock").unlink(missing_ok=True)


def _sweep(images: Path) -> None:
    """Remove what killed builds left; a build that goes on holds its lock."""
    for work in images.glob(".building-*"):
        key = work.name.removeprefix(".building-")
        with suppress(LabError), lock.whole(images / f"{key}.lock", "sweep"):
            shutil.rmtree(work, ignore_errors=True)


def used_images() -> frozenset[str]:
    """Name the images that the disks of existing labs are differences to."""
    used = set()
    for known in run_dir().glob("*/lab.json"):
        with suppress(OSError, ValueError, KeyError):
            used.add(str(json.loads(known.read_text())["image"]))
    return frozenset(used)


def _check_build(wanted: Recipe, images: Path) -> None:
    """Refuse a build for which there is no room (SG-LAB-012) or no archive (SG-LAB-045)."""
    preflight.check_space(images, NEEDED_BYTES, "an image of the hosts is built there")
    if not _sources(wanted.kernel_suite):
        raise refuse(
            45, "lab up", "cannot build an image: this machine's apt knows no archive of Debian",
            why=f"the hosts' packages come from there, and a kernel of {wanted.kernel_suite}",
            fix="`apt-get update`; if that is not enough, add Debian to /etc/apt/sources.list.d",
        )  # fmt: skip


def settle(out: Path, target: Path) -> None:
    """Put a whole image into its place, where the remains of a removed one may lie."""
    shutil.rmtree(target, ignore_errors=True)
    out.rename(target)


def _build(wanted: Recipe, images: Path, report: Report) -> Image:
    """Build in ``images`` while holding the key's lock: what lies there is ours to remove."""
    started = time.monotonic()
    work = images / f".building-{wanted.key}"
    shutil.rmtree(work, ignore_errors=True)
    try:
        out = work / "out"
        out.mkdir(parents=True)
        _write_scripts(wanted, work)
        _make_root(wanted, work)
        report(wanted.key, f"packages installed, {time.monotonic() - started:.0f} s")
        _make_filesystem(work / "root", out / "root.ext4")
        kernel = wanted.kernel.ask(out)
        if wanted.kind is Kind.BARE:
            mirror.write_index(out / "mirror")
        _write_manifest(out, wanted, kernel)
        settle(out, images / wanted.key)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    report(wanted.key, f"built, {time.monotonic() - started:.0f} s")
    image = load(images / wanted.key)
    assert image is not None
    return image


def _make_root(wanted: Recipe, work: Path) -> None:
    scripts = work / "scripts"
    argv = mmdebstrap_argv(
        wanted, root=str(work / "root"), hook=str(scripts / "customize.sh"),
        sources=_sources(wanted.suite),
    )  # fmt: skip
    environment = os.environ | hook_environment(
        wanted, scripts=str(scripts), out=str(work / "out"),
        kernel_sources=_sources(wanted.kernel_suite),
    ) | {"LC_ALL": "C.UTF-8", "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}  # fmt: skip
    done = run((*CONTAINED, *argv), check=False, timeout=BUILD_SECONDS, env=environment)
    if done.returncode != 0:
        raise failure(argv[:1], done.returncode, done.stderr)


def _write_scripts(wanted: Recipe, work: Path) -> None:
    (work / "scripts").mkdir()
    for name, text in wanted.scripts:
        script = work / "scripts" / name
        script.write_text(text)
        script.chmod(0o755)


def _sources(suite: str) -> tuple[str, ...]:
    """Take the package sources that this machine itself uses, for a release."""
    asked = (
        "apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(COMPONENT)",
        "Created-By: Packages", "Origin: Debian",
    )  # fmt: skip
    return parse_sources(run(asked, check=False).stdout, suite)


def _make_filesystem(root: Path, image: Path) -> None:
    """Write the directory into an ext4 file, mke2fs(8) -d.  The journal is for killed hosts."""
    run(
        ("mke2fs", "-q", "-t", "ext4", "-L", "root", "-J", "size=16", "-m", "0", "-E",
         "lazy_itable_init=1,root_owner=0:0", "-d", str(root), str(image), SIZE),
        timeout=300,
    )  # fmt: skip


def _write_manifest(out: Path, wanted: Recipe, kernel: Kernel) -> None:
    manifest = {
        "kernel": asdict(kernel), "suite": wanted.suite, "packages": wanted.packages,
        "files": _sizes(out),
    }  # fmt: skip
    (out / "manifest.json").write_text(json.dumps(manifest, indent=2))
