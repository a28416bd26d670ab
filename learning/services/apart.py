"""Commands of `ml` in a process of their own: bounded in time, their steps shown as they tell."""

import json
import subprocess
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

from django.conf import settings

PAUSE_SECONDS = 1.0
"""Between two looks at the process: how late a stop may come."""


def run_apart(
    command: Sequence[str], *, room: Path, seconds: float, show: Callable[..., None]
) -> str | None:
    """Run a command to its end, or kill it once its time is over or ``show`` raises.

    ``show`` is called once a second with the latest ``step``, ``done`` and ``total``, with nothing
    while none is new. Returns None if it ended well, else what it wrote to its error output.
    """
    steps, errors = room / "steps", room / "errors"
    with (
        steps.open("w") as told,
        errors.open("w") as said,
        subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=told, stderr=said) as process,
    ):
        try:
            _attend(process, steps, seconds, show)
        finally:
            process.kill()
    return errors.read_text(errors="replace") if process.returncode else None


def _attend(
    process: "subprocess.Popen[bytes]", steps: Path, seconds: float, show: Callable[..., None]
) -> None:
    ends_at = monotonic() + seconds
    with steps.open() as told:
        while process.poll() is None and monotonic() < ends_at:
            with suppress(subprocess.TimeoutExpired):
                process.wait(PAUSE_SECONDS)
            show(**_latest_step(told.readlines()))


def _latest_step(lines: Iterable[str]) -> dict[str, Any]:
    """The last step among the lines; empty if none of them tells one."""
    found: dict[str, Any] = {}
    for line in lines:
        with suppress(ValueError, KeyError, TypeError):
            told = json.loads(line)
            found = {name: told[name] for name in ("step", "done", "total")}
    return found
