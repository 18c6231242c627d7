"""Sanglier: one highly available shared filesystem from a few ordinary servers."""

__version__ = "0.1.0"
