"""Names of consents, and the check of blankness that is repeated right before use."""

from __future__ import annotations

from importlib.resources import files

from sanglier.core.shell import quote

PENDING_DIR = "/var/lib/sanglier/pending"
"""On the host: what was begun on a blank device and must be finished or begun again."""


def short_device(path: str) -> str:
    """Name of a device in a consent: its path below /dev."""
    return path.removeprefix("/dev/")


def wipe_consent(host: str, device: str) -> str:
    """Consent that allows to destroy what is on a device."""
    return f"wipe:{host}/{short_device(device)}"


def reuse_consent(host: str, device: str) -> str:
    """Consent that allows to take over DRBD data found on a device."""
    return f"reuse:{host}/{short_device(device)}"


def metadata_marker(volume: str) -> str:
    """Path of the marker that stands while DRBD metadata is first written."""
    return f"{PENDING_DIR}/drbd-{volume}"


def emptied_marker(volume: str) -> str:
    """Path of the marker that stands while a device is blank because that is meant.

    It was wiped with its consent, or a first resource file was written for it; the metadata that
    is then made removes the marker.  A device that is blank without it was lost or exchanged.
    """
    return f"{PENDING_DIR}/blank-{volume}"


def _in_use() -> str:
    lines = files("sanglier.layers.backing").joinpath("in-use").read_text().splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


# $1 device, then a command or nothing: see the file.  perl-base is essential in Debian.
IN_USE = f"""
in_use() {{ perl -e {quote(_in_use(), reveal=False)} -- "$@"; }}
"""
# $1: device.  Succeeds when the device holds no signature and only zeroes at both ends.
# cmp(1) reads both ends; wipefs(8) without -a only looks.
BLANK = """
blank() {
    [ -z "$(wipefs --noheadings --output TYPE -- "$1" 2>/dev/null)" ] || return 1
    cmp -s -n 16777216 -- "$1" /dev/zero || tooshort "$1" || return 1
    bytes=$(blockdev --getsize64 "$1") || return 1
    skip=$((bytes > 1048576 ? bytes - 1048576 : 0))
    cmp -s -n 1048576 -i "$skip:0" -- "$1" /dev/zero || return 1
}
tooshort() {
    bytes=$(blockdev --getsize64 "$1") && [ "$bytes" -lt 16777216 ] &&
        cmp -s -n "$bytes" -- "$1" /dev/zero
}
"""
