"""A listener that is killed once a message is committed and before it is answered."""

import os
import signal

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from exchange.listening import hl7  # noqa: E402
from exchange.services.keeping import Arrival  # noqa: E402
from exchange.services.receiving import receive_hl7  # noqa: E402


def receive_and_die(arrival: Arrival) -> tuple[bytes, ...]:
    receive_hl7(arrival)
    os.kill(os.getpid(), signal.SIGKILL)
    return ()


hl7.answer_hl7 = receive_and_die
call_command("listen")
