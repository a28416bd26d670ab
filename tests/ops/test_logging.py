"""Logs name records by id, and no one by name."""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from hematovision.logging import logging_config

Lines = Callable[[], list[dict[str, str]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Log as production does; return how to read the lines written so far."""
    formatter = logging_config(level="INFO", as_json=True)["formatters"]["line"]
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=formatter["processors"], foreign_pre_chain=formatter["foreign_pre_chain"]
        )
    )
    logger = logging.getLogger("tests.ops")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.removeHandler(handler)


def test_values_under_personal_keys_are_removed(lines: Lines) -> None:
    structlog.get_logger("tests.ops").info("registered", patient_id="7f", mrn="4711")
    assert lines()[0]["mrn"] == "[removed]"
    assert lines()[0]["patient_id"] == "7f"


def test_what_was_searched_for_is_removed(lines: Lines) -> None:
    structlog.get_logger("tests.ops").info("request_finished", request="GET /patients/?q=Kowalska")
    assert lines()[0]["request"] == "GET /patients/?[removed]"


@pytest.mark.parametrize(
    "refusal",
    [
        "duplicate key value\nDETAIL:  Key (issuer, mrn)=(CITY, 4711) already exists.",
        "violates check constraint\nDETAIL:  Failing row contains (7f, 4711, Kowalska, null).",
    ],
)
def test_rows_that_postgresql_quotes_are_removed(lines: Lines, refusal: str) -> None:
    try:
        raise ValueError(refusal)
    except ValueError:
        logging.getLogger("tests.ops").exception("refused: %s", refusal)
    (line,) = lines()
    assert "[removed]" in line["event"]
    assert "4711" not in json.dumps(line)


def test_health_checks_leave_no_line_unless_they_fail(lines: Lines) -> None:
    logger = structlog.get_logger("tests.ops")
    logger.info("request_finished", request="GET /health/ready", code=200)
    logger.error("request_finished", request="GET /health/ready", code=500)
    assert [line["level"] for line in lines()] == ["error"]
