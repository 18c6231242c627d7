"""The key of an image, and the sources that it is made from."""

from __future__ import annotations

from sanglier.lab import image
from sanglier.lab.choice import BACKENDS
from sanglier.lab.recipe import (
    RELEASE,
    SUITES,
    Kind,
    Recipe,
    hook_environment,
    mmdebstrap_argv,
    parse_sources,
    stack_packages,
)

TARGETS = """\
http://archive.example/debian/ bookworm main
http://archive.example/debian/ bookworm main
http://archive.example/debian/ bookworm contrib
http://archive.example/debian/ bookworm-updates main
http://security.example/debian-security/ bookworm-security main
http://archive.example/debian/ trixie main
http://other.example/ nodistro main
"""


KERNELS = {name: backend.kernel for name, backend in BACKENDS.items()}


def recipe(
    kind: Kind = Kind.FULL, text: str = "x", release: str = RELEASE, driver: str = "uml"
) -> Recipe:
    kernel = KERNELS[driver]
    return Recipe(kind=kind, kernel=kernel, scripts=(("init", text),), release=release)


def test_equal_recipes_have_equal_keys_and_others_have_not() -> None:
    assert recipe().key == recipe().key
    assert len({recipe().key, recipe(text="y").key, recipe(Kind.BARE).key}) == 3
    assert len({recipe(release=release).key for release in SUITES}) == len(SUITES)


def test_each_back_end_has_images_of_its_own() -> None:
    assert recipe().key.startswith("full-13-uml-")
    assert recipe(driver="qemu").key.startswith("full-13-qemu-")
    assert recipe().key[-12:] != recipe(driver="qemu").key[-12:]


def test_a_stock_kernel_is_of_the_hosts_release_and_a_user_mode_one_is_bookworms() -> None:
    for release, suite in SUITES.items():
        assert recipe(release=release).kernel_suite == "bookworm"
        assert recipe(release=release, driver="qemu").kernel_suite == suite


def test_the_script_that_brings_the_kernel_is_told_to_the_hook() -> None:
    for name in BACKENDS:
        made = hook_environment(recipe(driver=name), scripts="/s", out="/o", kernel_sources=())
        assert made["SANGLIER_KERNEL"] == f"kernel-{name}.sh"


def test_a_bare_image_has_no_package_of_the_stack() -> None:
    for release in SUITES:
        stack = set(stack_packages(release))
        assert not set(recipe(Kind.BARE, release=release).packages) & stack
        assert set(recipe(release=release).packages) > stack


def test_the_agent_of_the_labs_switches_comes_by_each_releases_name() -> None:
    assert {"fence-agents", "ipmitool"} < set(stack_packages("12"))
    assert {"fence-agents-ipmilan", "ipmitool"} < set(stack_packages("13"))
    assert "fence-agents" not in stack_packages("13")


def test_sources_are_those_of_the_machine_for_that_release_only() -> None:
    assert parse_sources(TARGETS, "bookworm") == (
        "deb http://archive.example/debian/ bookworm main contrib",
        "deb http://archive.example/debian/ bookworm-updates main",
        "deb http://security.example/debian-security/ bookworm-security main",
    )


def test_a_machine_of_another_release_gives_its_archive_by_the_wanted_name() -> None:
    text = "http://archive.example/ trixie main\nhttp://archive.example/ trixie-updates main\n"
    assert parse_sources(text, "bookworm") == (
        "deb http://archive.example/ bookworm main",
        "deb http://archive.example/ bookworm-updates main",
    )


def test_a_machine_of_no_release_of_debian_gives_no_sources() -> None:
    assert parse_sources("http://archive.example/ noble main\n", "bookworm") == ()
    assert parse_sources("", "bookworm") == ()


def test_the_root_directory_and_sources_come_last() -> None:
    argv = mmdebstrap_argv(recipe(), root="/r", hook="/h", sources=("deb uri x main",))
    assert argv[-3:] == ("trixie", "/r", "deb uri x main")


def test_every_script_of_the_recipe_is_shipped() -> None:
    for name, kernel in KERNELS.items():
        scripts = dict(image.recipe(Kind.FULL, kernel).scripts)
        assert scripts[f"kernel-{name}.sh"] and all(scripts.values())
