"""The layers in order, bottom first."""

from __future__ import annotations

from sanglier.layers import (
    backing,
    cluster,
    drbd,
    initiator,
    multipath,
    network,
    numbers,
    ocfs2,
    packages,
    target,
)
from sanglier.layers.base import StackLayer

LAYERS: tuple[StackLayer, ...] = (
    numbers.LAYER,
    packages.LAYER,
    network.LAYER,
    backing.LAYER,
    drbd.LAYER,
    target.LAYER,
    cluster.LAYER,
    initiator.LAYER,
    multipath.LAYER,
    ocfs2.LAYER,
)
