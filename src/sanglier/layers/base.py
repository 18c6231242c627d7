"""Read this first: what a layer is given, and the small pieces that all layers use.

A layer is a folder with always the same files: ``facts.py`` (frozen values per
host), ``probe.py`` (read-only questions and their parsers), ``desired.py``
(files and values wanted), ``steps.py`` (from facts to goal), ``teardown.py``,
``status.py``, and ``timeouts.py`` where it has some; its ``__init__.py`` binds them into one
object named ``LAYER``.
Everything is pure; see :class:`sanglier.core.layer.Layer`.
"""

from __future__ import annotations

from dataclasses import dataclass

from sanglier.core.layer import Layer
from sanglier.spec.cluster import Cluster
from sanglier.spec.secrets import Secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What is desired: the cluster of the file, and its secrets."""

    cluster: Cluster
    secrets: Secrets
    consents: frozenset[str] = frozenset()
    """What the user allowed by name, e.g. ``wipe:disk-b/vdb``."""


StackLayer = Layer[Goal]
