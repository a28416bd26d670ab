"""A receiver of results made of another library's MLLP server, which may die when it is told to.

Run as a program: ``python -m tests.exchange.receiver PORT JOURNAL CONVERSATION...``. It writes each
message it has read to the journal, safely, before it does what the conversation says next:

    accept, AE, AR, silent, garbled, other (answers another message first), half (dies amid the
    answer), die (dies with the message read), deaf (dies on connecting, reading nothing)
"""

import asyncio
import json
import os
import ssl
import sys
from pathlib import Path
from typing import Any

import hl7
from hl7.mllp import start_hl7_server

LARGEST = 16 * 1024 * 1024


class Receiver:
    """Answers each message as the conversation says, then accepts all."""

    def __init__(self, journal: Path, conversation: list[str]) -> None:
        self.journal = journal
        self.conversation = conversation

    def next_answer(self) -> str:
        return self.conversation.pop(0) if self.conversation else "accept"

    async def serve(self, reader: Any, writer: Any) -> None:
        """Read messages until the sender is gone."""
        if self.conversation[:1] == ["deaf"]:
            os._exit(1)
        while True:
            try:
                message = await reader.readmessage()
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            self.write_down(message)
            await self.answer(message, writer)
        writer.close()

    def write_down(self, message: hl7.Message) -> None:
        line = {
            "control_id": str(message.segment("MSH")[10]),
            "filler": str(message.segment("OBR")[3]),
            "status": str(message.segment("OBR")[25]),
            "text": str(message),
        }
        with self.journal.open("a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    async def answer(self, message: hl7.Message, writer: Any) -> None:
        what = self.next_answer()
        if what == "die":
            os._exit(1)
        if what == "silent":
            return
        if what == "garbled":
            writer.writeblock(b"HTTP/1.1 400 Bad Request")
        elif what == "half":
            writer.write(b"\x0b" + str(message.create_ack("AA")).encode()[:40])
            await writer.drain()
            os._exit(1)
        elif what == "other":
            other = str(message.create_ack("AA")).replace(str(message.segment("MSH")[10]), "OTHER")
            writer.writeblock(other.encode())
            writer.writemessage(message.create_ack("AA"))
        else:
            writer.writemessage(message.create_ack("AA" if what == "accept" else what))
        await writer.drain()


async def _run(port: int, receiver: Receiver, certificate: str, authority: str) -> None:
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    if context and authority:
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_REQUIRED
    server = await start_hl7_server(
        receiver.serve, "127.0.0.1", port, limit=LARGEST, encoding="utf-8", ssl=context
    )
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(
        _run(
            int(sys.argv[1]),
            Receiver(Path(sys.argv[2]), sys.argv[3:]),
            os.environ.get("RECEIVER_CERTIFICATE", ""),
            os.environ.get("RECEIVER_AUTHORITY", ""),
        )
    )
