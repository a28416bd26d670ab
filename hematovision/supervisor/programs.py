"""What runs beside PostgreSQL and Redis: web, workers, scheduler, outbox, listener."""

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Program:
    """A process to keep alive; ``grace`` seconds pass between asking it to stop and killing it."""

    name: str
    command: tuple[str, ...]
    grace: float = 25


def site_programs(*, host: str, port: int, var: Path, listens: bool = False) -> list[Program]:
    """Return the site's processes; docker-compose.yml runs the same ones, a container each.

    With ``listens``, one more takes messages of other systems in.
    """
    python = (sys.executable, "-m")
    gunicorn = (*python, "gunicorn", "--config", "python:hematovision.gunicorn_conf")
    celery = (*python, "celery", "--app", "hematovision", "--quiet")
    worker = (*celery, "worker", "--without-mingle", "--without-gossip")
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    listener = [Program("listener", (*python, "manage", "listen"))] if listens else []
    return [
        Program("web", (*gunicorn, "--bind", bind)),
        Program(
            "inference",
            (*worker, "--queues", "inference", "--concurrency", "1", "-n", "inference@%h"),
        ),
        Program(
            "worker", (*worker, "--queues", "default", "--concurrency", "2", "-n", "default@%h")
        ),
        Program(
            "beat",
            (
                *celery, "beat",
                "--schedule", str(var / "beat-schedule"), "--pidfile=",
            ),
        ),
        Program("outbox", (*python, "hematovision.outbox")),
        *listener,
    ]  # fmt: skip
