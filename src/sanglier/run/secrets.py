"""The cluster's secrets file: generated once, kept, mode 0600, never shown."""

from __future__ import annotations

import os
import secrets as random
import stat
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from sanglier.core.errors import SanglierError
from sanglier.core.secret import Secret
from sanglier.run.codes import Code
from sanglier.spec.cluster import Cluster
from sanglier.spec.secrets import Secrets

ALPHABET = string.ascii_letters + string.digits
HEXADECIMAL = "0123456789abcdef"
CHAP_LENGTH = 16
"""iSCSI wants 12 bytes or more (RFC 7143 12.1.3); some initiators take at most 16."""
DRBD_LENGTH = 32
"""At most 64 characters, drbd.conf(5) shared-secret."""
COROSYNC_DIGITS = 256
"""Hexadecimal digits, as text 256 bytes: corosync.conf(5) authkey has 128 to 4096."""
_HEADER = "# Secrets of a Sanglier cluster.  Keep this file: mode 0600, in no repository.\n"
_KINDS = ("drbd", "chap", "fence")
"""Sections of names with secrets; ``corosync`` is a single one."""


def secrets_path(cluster_file: Path) -> Path:
    """Give the secrets file that belongs to a cluster's file: the same name, ``.secrets``."""
    return cluster_file.with_suffix(".secrets")


def generate(length: int, alphabet: str = ALPHABET) -> Secret:
    """Make a new secret of ``length`` characters."""
    return Secret("".join(random.choice(alphabet) for _ in range(length)))


def load_or_generate(path: Path, cluster: Cluster) -> tuple[Secrets, bool]:
    """Read the secrets of ``cluster`` and make those that are missing.

    Returns them and whether any had to be made (so that the file is to be
    saved).  Raises ``SanglierError`` for a file that others can read, that is
    malformed, or that lacks the password of a fence device: only its owner
    knows that one, so it is never made here.
    """
    known = _read(path) if path.exists() else _Known()
    _check_passwords(path, cluster, known.sections["fence"])
    drbd, chap = known.sections["drbd"], known.sections["chap"]
    secrets = Secrets(
        drbd=_complete(drbd, (v.name for v in cluster.volumes), DRBD_LENGTH),
        chap=_complete(chap, (a.name for a in cluster.applications), CHAP_LENGTH),
        corosync=known.corosync or generate(COROSYNC_DIGITS, HEXADECIMAL),
        fence=known.sections["fence"],
    )
    made = known.corosync is None or secrets.drbd != drbd or secrets.chap != chap
    return secrets, made


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What a file holds."""

    sections: Mapping[str, Mapping[str, Secret]] = field(
        default_factory=lambda: {kind: {} for kind in _KINDS}
    )
    corosync: Secret | None = None


def save(path: Path, secrets: Secrets) -> None:
    """Write the file atomically with mode 0600; raises ``SanglierError`` when it cannot."""
    temporary = path.with_name(path.name + ".new")
    try:
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(_dump(secrets))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error


def _check_passwords(path: Path, cluster: Cluster, known: Mapping[str, Secret]) -> None:
    devices = [(s.name, device) for s in cluster.storage for device in s.fence if cluster.guarded]
    needed = [device.secret_key(name) for name, device in devices if not device.no_password]
    missing = [key for key in needed if key not in known]
    if missing:
        raise _no_password(path, missing)


def _complete(known: Mapping[str, Secret], names: Iterable[str], length: int) -> dict[str, Secret]:
    return {**known, **{name: generate(length) for name in names if name not in known}}


def _dump(secrets: Secrets) -> str:
    lines = [_HEADER]
    kinds = zip(_KINDS, (secrets.drbd, secrets.chap, secrets.fence), strict=True)
    for kind, values in kinds:
        lines.append(f"{kind}:\n" if values else f"{kind}: {{}}\n")
        lines += [f"  {name}: {secret.reveal()!r}\n" for name, secret in sorted(values.items())]
    lines.append(f"corosync: {secrets.corosync.reveal()!r}\n")
    return "".join(lines)


def _read(path: Path) -> _Known:
    _check_mode(path)
    document = _parse(path)
    if not isinstance(document, dict) or set(document) - {*_KINDS, "corosync"}:
        raise _malformed(path, f"expected the keys {', '.join(_KINDS)} and corosync only")
    return _Known(
        sections={kind: _section(path, kind, document.get(kind)) for kind in _KINDS},
        corosync=_single(path, "corosync", document.get("corosync")),
    )


def _single(path: Path, kind: str, value: object) -> Secret | None:
    if value is None:
        return None
    if not (isinstance(value, str) and _usable(kind, value)):
        raise _malformed(path, f"{kind}: expected {_RULES[kind]}, quoted")
    return Secret(value)


def _section(path: Path, kind: str, found: object) -> dict[str, Secret]:
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise _malformed(path, f"{kind}: expected names with secrets")
    for name, value in found.items():
        if not (isinstance(name, str) and isinstance(value, str) and _usable(kind, value)):
            raise _malformed(path, f"{kind}.{name}: expected {_RULES[kind]}, quoted")
    return {name: Secret(value) for name, value in found.items()}


_LENGTHS = {"drbd": (1, 64), "chap": (12, 16), "corosync": (128, 4096), "fence": (1, 255)}
_ODD = {"fence": "\"'\\#<>&"}
"""What a secret of a kind must not hold; that of a fence device goes into XML too."""
_RULES = {
    kind: f"{low} to {high} printable characters without spaces, quotes, backslashes, #"
    + (" < > &" if kind in _ODD else "")
    for kind, (low, high) in _LENGTHS.items()
}


def _usable(kind: str, value: str) -> bool:
    low, high = _LENGTHS[kind]
    refused = _ODD.get(kind, "\"'\\#")
    odd = any(c in refused or not "!" <= c <= "~" for c in value)
    return low <= len(value) <= high and not odd


def _parse(path: Path) -> object:
    try:
        document: object = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unwritable(path, error) from error
    except UnicodeDecodeError:
        raise _malformed(path, "it is not UTF-8 text") from None
    except YAMLError as error:
        raise _malformed(path, f"it is not YAML ({_place(error)})") from None
    return document


def _place(error: Exception) -> str:
    """Say where, and never what: the text of the file is secret."""
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}" if mark is not None else "line unknown"


def _check_mode(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise SanglierError(
            code=Code.SECRETS_EXPOSED,
            subject=str(path),
            what=f"the secrets file has mode {mode:04o}: others than its owner can get at it",
            why="whoever knows these secrets can write to the volumes",
            fix=f"chmod 600 {path}  (and change the secrets if others may have read them)",
        )


def _malformed(path: Path, why: str) -> SanglierError:
    return SanglierError(
        code=Code.SECRETS_MALFORMED,
        subject=str(path),
        what="the secrets file cannot be used",
        why=why,
        fix="mend it, or restore it from a backup; without it, a new file means new secrets on "
        "every host",
    )


def _no_password(path: Path, keys: Sequence[str]) -> SanglierError:
    written = ", ".join(f"{key}: 'PASSWORD'" for key in keys)
    return SanglierError(
        code=Code.FENCE_PASSWORD_MISSING,
        subject=str(path),
        what=f"no password for the fence device of {' and '.join(keys)}",
        why="without it a lost storage server cannot be switched off; it is the device's own, so "
        "it cannot be made up here",
        fix=f"write `fence: {{{written}}}` into {path} (mode 0600), or `no_password: true` into "
        "the cluster file beside the agent of a device that needs none",
    )


def _unwritable(path: Path, error: OSError) -> SanglierError:
    return SanglierError(
        code=Code.SECRETS_UNWRITABLE,
        subject=str(path),
        what=f"the secrets file cannot be read or written: {error.strerror}",
        fix="make room or change the permissions, then run the same command again",
    )
