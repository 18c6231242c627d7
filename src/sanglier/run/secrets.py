"""The cluster's secrets file: generated once, kept, mode 0600, never shown."""

from __future__ import annotations

import os
import secrets as random
import stat
import string
from collections.abc import Iterable, Mapping
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from sanglier.core.errors import SanglierError
from sanglier.core.secret import Secret
from sanglier.run.codes import Code
from sanglier.spec.cluster import Cluster
from sanglier.spec.secrets import Secrets

ALPHABET = string.ascii_letters + string.digits
CHAP_LENGTH = 16
"""iSCSI wants 12 bytes or more (RFC 7143 12.1.3); some initiators take at most 16."""
DRBD_LENGTH = 32
"""At most 64 characters, drbd.conf(5) shared-secret."""
_HEADER = "# Secrets of a Sanglier cluster.  Keep this file: mode 0600, in no repository.\n"
_KINDS = ("drbd", "chap")


def secrets_path(cluster_file: Path) -> Path:
    """Give the secrets file that belongs to a cluster's file: the same name, ``.secrets``."""
    return cluster_file.with_suffix(".secrets")


def generate(length: int) -> Secret:
    """Make a new secret of letters and digits."""
    return Secret("".join(random.choice(ALPHABET) for _ in range(length)))


def load_or_generate(path: Path, cluster: Cluster) -> tuple[Secrets, bool]:
    """Read the secrets of ``cluster`` and make those that are missing.

    Returns them and whether any had to be made (so that the file is to be
    saved).  Raises ``SanglierError`` for a file that others can read, or that
    is malformed.
    """
    known = _read(path) if path.exists() else {kind: {} for kind in _KINDS}
    drbd = _complete(known["drbd"], (v.name for v in cluster.volumes), DRBD_LENGTH)
    chap = _complete(known["chap"], (a.name for a in cluster.applications), CHAP_LENGTH)
    missing = drbd != known["drbd"] or chap != known["chap"] or not path.exists()
    return Secrets(drbd=drbd, chap=chap), missing


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


def _complete(known: Mapping[str, Secret], names: Iterable[str], length: int) -> dict[str, Secret]:
    return {**known, **{name: generate(length) for name in names if name not in known}}


def _dump(secrets: Secrets) -> str:
    lines = [_HEADER]
    for kind, values in (("drbd", secrets.drbd), ("chap", secrets.chap)):
        lines.append(f"{kind}:\n" if values else f"{kind}: {{}}\n")
        lines += [f"  {name}: {secret.reveal()!r}\n" for name, secret in sorted(values.items())]
    return "".join(lines)


def _read(path: Path) -> dict[str, dict[str, Secret]]:
    _check_mode(path)
    document = _parse(path)
    if not isinstance(document, dict) or set(document) - set(_KINDS):
        raise _malformed(path, f"expected the keys {' and '.join(_KINDS)} only")
    return {kind: _section(path, kind, document.get(kind)) for kind in _KINDS}


def _section(path: Path, kind: str, found: object) -> dict[str, Secret]:
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise _malformed(path, f"{kind}: expected names with secrets")
    for name, value in found.items():
        if not (isinstance(name, str) and isinstance(value, str) and _usable(kind, value)):
            raise _malformed(path, f"{kind}.{name}: expected {_RULES[kind]}, quoted")
    return {name: Secret(value) for name, value in found.items()}


_LENGTHS = {"drbd": (1, 64), "chap": (12, 16)}
_RULES = {
    "drbd": "1 to 64 printable characters without spaces, quotes or backslashes",
    "chap": "12 to 16 printable characters without spaces, quotes or backslashes",
}


def _usable(kind: str, value: str) -> bool:
    low, high = _LENGTHS[kind]
    odd = any(c in "\"'\\#" or not "!" <= c <= "~" for c in value)
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


def _unwritable(path: Path, error: OSError) -> SanglierError:
    return SanglierError(
        code=Code.SECRETS_UNWRITABLE,
        subject=str(path),
        what=f"the secrets file cannot be read or written: {error.strerror}",
        fix="make room or change the permissions, then run the same command again",
    )
