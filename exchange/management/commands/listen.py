"""Take in what other systems send, until asked to stop."""

import asyncio
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from exchange.enums import Protocol
from exchange.listening import astm, hl7
from exchange.listening.config import Limits, Port, Tls
from exchange.listening.listener import Listener


class Command(BaseCommand):
    """`manage.py listen`: SIGTERM lets the messages that are being answered finish."""

    help = "Listen for orders and results of other systems (LISTEN_HL7_PORT, LISTEN_ASTM_PORT)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Listen at the ports of the settings."""
        listeners = _listeners()
        if not listeners:
            raise CommandError("Set LISTEN_HL7_PORT or LISTEN_ASTM_PORT; nothing listens now.")
        asyncio.run(listen(listeners))


async def listen(listeners: list[Listener]) -> None:
    """Listen until SIGTERM or SIGINT, then end in order."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    for listener in listeners:
        await listener.start()
    await stop.wait()
    await asyncio.gather(*(listener.stop() for listener in listeners))


def _listeners() -> list[Listener]:
    tls = None
    if settings.LISTEN_CERTIFICATE and settings.LISTEN_KEY:
        authority = settings.LISTEN_CLIENT_AUTHORITY
        tls = Tls(settings.LISTEN_CERTIFICATE, settings.LISTEN_KEY, authority)
    conversations = {
        Protocol.HL7: (settings.LISTEN_HL7_PORT, hl7.converse),
        Protocol.ASTM: (settings.LISTEN_ASTM_PORT, astm.converse),
    }
    return [
        Listener(Port(settings.LISTEN_HOST, number, tls), protocol, converse, Limits())
        for protocol, (number, converse) in conversations.items()
        if number
    ]
