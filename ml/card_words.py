"""How a model card writes shares and names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def share(found: Mapping[str, Any]) -> str:
    """Three cells of a table: a share, of how many, and its interval."""
    if found["value"] is None:
        return f"none | {found['n']} | "
    low, high = found["interval_95"]
    return f"{percent(found)} | {found['n']} | {low:.2%} to {high:.2%}"


def percent(found: Mapping[str, Any]) -> str:
    """A share alone."""
    return "none" if found["value"] is None else f"{found['value']:.2%}"


def words(name: str) -> str:
    """A class as people write it."""
    return name.replace("_", " ")
