"""What all parts of the file have in common, and how editors are told about them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from sanglier.spec import patterns


class Part(BaseModel):
    """What all parts of the file have in common: no unknown keys, no conversions."""

    model_config = ConfigDict(extra="forbid", strict=True)


def form(pattern: str, default: str = "") -> dict[str, Any]:
    """Give the pattern of a value, and its computed default, for editors."""
    extra: dict[str, Any] = {"pattern": patterns.anchored(pattern)}
    return {**extra, "x-default": default} if default else extra


def named(pattern: str, **limits: int) -> dict[str, Any]:
    """Give the pattern of the names in a mapping, and how many there may be, for editors."""
    return {"propertyNames": {"pattern": patterns.anchored(pattern)}, **limits}
