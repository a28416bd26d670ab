"""Long work that tells how far it is, and goes behind whatever else the machine does."""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
from collections.abc import Callable
from typing import Final

Say = Callable[[str, int, int], object]
"""Told of progress: what is being done, how much of it is done, and of how much."""

_NICE: Final = 10


def counting(say: Say, step: str, total: int) -> Callable[[int], None]:
    """What is called with each further part of a step that is done, and tells the sum."""
    done = 0

    def add(count: int) -> None:
        nonlocal done
        done += count
        say(step, done, total)

    return add


def add_memory_option(command: argparse.ArgumentParser) -> None:
    """Add the bound that `begin` sets."""
    command.add_argument("--most-memory", type=int, metavar="BYTES", help="of addresses")


def begin(options: argparse.Namespace) -> None:
    """Take a low priority, and no more memory than was allowed."""
    os.setpriority(os.PRIO_PROCESS, 0, max(_NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    if options.most_memory:
        resource.setrlimit(resource.RLIMIT_AS, (options.most_memory, options.most_memory))


def say_line(step: str, done: int, total: int) -> None:
    """Tell a step on a line of its own, as JSON, for whoever started this."""
    sys.stdout.write(json.dumps({"step": step, "done": done, "total": total}) + "\n")
    sys.stdout.flush()
