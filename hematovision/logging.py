"""Logs of every process: one line an event, with a request id, and no one's name in it.

Ids are enough to find a record for whoever may see it. So values under telling keys are removed,
as are query strings, which hold what was searched for, and the rows PostgreSQL quotes when it
refuses one.
"""

import logging
import re
from collections.abc import Iterable
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

REMOVED = "[removed]"
PERSONAL_KEYS = frozenset({
    "birth_date", "email", "family_name", "first_name", "full_name", "given_name", "last_name",
    "login", "mrn", "name", "password", "patient_name", "username",
})  # fmt: skip
ROUTINE = ("GET /health/", "GET /metrics")
_QUERY = re.compile(r"(?<=[\w/])\?[^\s\"']+")
_QUOTED_ROW = re.compile(r"(=\(|Failing row contains \().*?\)(?=[\s.\"']|$)")


def remove_personal_data(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Structlog processor: keep ids, drop what could name a person."""
    for key, value in event.items():
        if key in PERSONAL_KEYS:
            event[key] = REMOVED
        elif isinstance(value, str):
            event[key] = _QUOTED_ROW.sub(rf"\1{REMOVED})", _QUERY.sub(f"?{REMOVED}", value))
    return event


class LeaveOutRoutine(logging.Filter):
    """No line for what happens every few seconds and went well: checks, and tasks of the clock."""

    def __init__(self, tasks: Iterable[str] = ()) -> None:
        super().__init__()
        self.routine = (*ROUTINE, *(f"Task {name}[" for name in tasks))

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno > logging.INFO:
            return True
        said = record.msg.get("request") if isinstance(record.msg, dict) else record.getMessage()
        return not str(said).startswith(self.routine)


def _without_user_agent(_logger: Any, _method: str, event: EventDict) -> EventDict:
    event.pop("user_agent", None)
    return event


SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
    _without_user_agent,
    remove_personal_data,
]


def configure_structlog() -> None:
    """Hand structlog's events to the standard library's loggers."""
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


# What a library says too much of, or what the request middleware says with more.
_LOGGERS: dict[str, dict[str, Any]] = {
    "celery.beat": {"level": "WARNING"},
    "celery.worker.consumer": {"level": "WARNING"},
    "celery.worker.strategy": {"level": "WARNING"},
    "django": {"handlers": [], "propagate": True},
    "django.request": {"level": "CRITICAL"},
    "django.server": {"handlers": [], "propagate": True},
    "fontTools": {"level": "WARNING"},
    "matplotlib": {"level": "WARNING"},
    "weasyprint": {"level": "ERROR"},
}


def logging_config(
    *, level: str, as_json: bool, routine_tasks: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the configuration of the standard library's logging, for Django, Celery, gunicorn."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": _formatter(as_json=as_json)},
        "filters": {"routine": {"()": LeaveOutRoutine, "tasks": list(routine_tasks)}},
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "filters": ["routine"],
            }
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": _LOGGERS
        | {"gunicorn.error": {"handlers": [], "propagate": True, "level": level}},
    }


def _formatter(*, as_json: bool) -> dict[str, Any]:
    last: Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=False,
            pad_level=False,
            pad_event_to=0,
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": SHARED,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    }
