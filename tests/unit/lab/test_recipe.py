"""The key of an image, and the sources that it is made from."""

from __future__ import annotations

from sanglier.lab import image
from sanglier.lab.recipe import STACK_PACKAGES, Kind, Recipe, mmdebstrap_argv, parse_sources

TARGETS = """\
http://archive.example/debian/ bookworm main
http://archive.example/debian/ bookworm main
http://archive.example/debian/ bookworm contrib
http://archive.example/debian/ bookworm-updates main
http://security.example/debian-security/ bookworm-security main
http://archive.example/debian/ trixie main
http://other.example/ nodistro main
"""


def recipe(kind: Kind = Kind.FULL, text: str = "x") -> Recipe:
    return Recipe(kind=kind, scripts=(("init", text),))


def test_equal_recipes_have_equal_keys_and_others_have_not() -> None:
    assert recipe().key == recipe().key
    assert len({recipe().key, recipe(text="y").key, recipe(Kind.BARE).key}) == 3


def test_a_bare_image_has_no_package_of_the_stack() -> None:
    assert not set(recipe(Kind.BARE).packages) & set(STACK_PACKAGES)
    assert set(recipe().packages) > set(STACK_PACKAGES)


def test_sources_are_those_of_the_machine_for_that_release_only() -> None:
    assert parse_sources(TARGETS, "bookworm") == (
        "deb http://archive.example/debian/ bookworm main contrib",
        "deb http://archive.example/debian/ bookworm-updates main",
        "deb http://security.example/debian-security/ bookworm-security main",
    )


def test_a_machine_of_another_release_gives_no_sources() -> None:
    assert parse_sources("http://archive.example/ trixie main\n", "bookworm") == ()
    assert parse_sources("", "bookworm") == ()


def test_the_root_directory_and_sources_come_last() -> None:
    argv = mmdebstrap_argv(recipe(), root="/r", hook="/h", sources=("deb uri x main",))
    assert argv[-3:] == ("bookworm", "/r", "deb uri x main")


def test_every_script_of_the_recipe_is_shipped() -> None:
    assert all(text for _, text in image.recipe(Kind.FULL).scripts)
