"""From a message to its answer, in a worker thread: what goes wrong here becomes a rejection."""

import logging
from collections.abc import Sequence

from django.db import DatabaseError, connections

from exchange.enums import Protocol
from exchange.models import Sender
from exchange.selectors.senders import find_senders
from exchange.services.keeping import Arrival
from exchange.services.receiving import (
    BUSY,
    answer_without_record,
    receive_hl7,
    refuse_oversized,
)
from exchange.services.receiving_astm import receive_astm

logger = logging.getLogger(__name__)

FAULT = "A fault of the receiver; nothing was changed. The laboratory must look at its log."


def answer_hl7(arrival: Arrival) -> tuple[bytes, ...]:
    """Return the replies to a message; a database that is away asks to send it again."""
    try:
        return receive_hl7(arrival)
    except DatabaseError as error:
        logger.warning("The database took no message: %s", type(error).__name__)
        return answer_without_record(arrival.data, text=BUSY)
    except Exception as error:  # noqa: BLE001 - whatever it is, the sender must hear of it
        logger.error("A message met a fault: %s", describe(error))  # noqa: TRY400 - no message text
        return answer_without_record(arrival.data, text=FAULT)
    finally:
        connections.close_all()


def answer_oversized(arrival: Arrival, size: int) -> tuple[bytes, ...]:
    """Return the rejection of a message that is too large."""
    try:
        return refuse_oversized(arrival, size)
    except DatabaseError as error:
        logger.warning("The database took no note of a message: %s", type(error).__name__)
        return answer_without_record(arrival.data, text=BUSY)
    finally:
        connections.close_all()


def store_astm(arrival: Arrival) -> bytes | None:
    """Store an analyser's message; return the answer to its query, empty without one.

    None asks for its last frame again.
    """
    try:
        return receive_astm(arrival)
    except DatabaseError as error:
        logger.warning("The database took no message: %s", type(error).__name__)
        return None
    except Exception as error:  # noqa: BLE001 - the analyser must hear of it, whatever it is
        logger.error("A message met a fault: %s", describe(error))  # noqa: TRY400 - no message text
        return None
    finally:
        connections.close_all()


def whose(protocol: Protocol, address: str, certificate_name: str) -> Sequence[Sender]:
    """Return who may be connecting; nobody while the database is away."""
    try:
        return find_senders(protocol, address, certificate_name)
    except DatabaseError as error:
        logger.warning("The database did not say who may connect: %s", type(error).__name__)
        return ()
    finally:
        connections.close_all()


def describe(error: BaseException) -> str:
    """Say where an error arose, without its text, which may quote the message."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "nowhere"
    return f"{type(error).__name__} at {place}"
