"""Settings of every unit test."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("sanglier", deadline=None)
settings.load_profile("sanglier")
"""No example has a time limit: machines are shared, and a slow one is no defect of the product."""
