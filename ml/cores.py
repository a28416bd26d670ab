"""The cores that this process may use."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """How many cores this process may use; a container or `taskset` may allow it but some."""
    return len(os.sched_getaffinity(0))
