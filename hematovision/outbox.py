"""The process that sends results to other systems: ``python -m hematovision.outbox``."""

import os
import signal
import threading

import django


def main() -> None:
    """Send until asked to stop; a message that waits for its answer is sent again next time."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hematovision.settings")
    django.setup()
    from exchange import sender  # noqa: PLC0415 - models load after the set-up

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sender.run(stop)


if __name__ == "__main__":
    main()
