"""A port with its connections: who comes in, how many, and how all of it ends in order."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from exchange.enums import Protocol
from exchange.listening.answering import whose
from exchange.listening.config import Limits, Port
from exchange.models import Sender

logger = logging.getLogger(__name__)

THREADS = 4
READ_AT_ONCE = 64 * 1024
Result = TypeVar("Result")


class Connection:
    """One connection: its streams, who it may be, and whether a message is being answered."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        listener: "Listener",
        task: "asyncio.Task[None]",
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.listener = listener
        self.task = task
        self.address: str = writer.get_extra_info("peername")[0]
        self.senders: Sequence[Sender] = ()
        self.is_answering = False

    @property
    def certificate_name(self) -> str:
        """The common name on the client's verified certificate, "" without one."""
        certificate = self.writer.get_extra_info("peercert") or {}
        names = [pair for group in certificate.get("subject", ()) for pair in group]
        return next((value for key, value in names if key == "commonName"), "")

    async def read(self, seconds: float) -> bytes:
        """Return what comes next, b"" at the end; TimeoutError after `seconds` of silence."""
        async with asyncio.timeout(seconds):
            return await self.reader.read(READ_AT_ONCE)

    async def write(self, data: bytes) -> None:
        """Send, and wait until the network has taken it."""
        self.writer.write(data)
        await self.writer.drain()

    async def in_thread(self, work: Callable[..., Result], *arguments: object) -> Result:
        """Do what waits for the database; a stop of the listener waits for it."""
        self.is_answering = True
        try:
            return await self.listener.in_thread(work, *arguments)
        finally:
            self.is_answering = False


Conversation = Callable[[Connection], Awaitable[None]]


class Listener:
    """Listens at a port; each connection that comes from a known place has its conversation."""

    def __init__(
        self, port: Port, protocol: Protocol, conversation: Conversation, limits: Limits
    ) -> None:
        self.port = port
        self.protocol = protocol
        self.conversation = conversation
        self.limits = limits
        self.is_stopping = False
        self._connections: set[Connection] = set()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"listen-{protocol}")
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Begin to listen; return the port's number."""
        tls = self.port.tls.context() if self.port.tls else None
        self._server = await asyncio.start_server(
            self._accept, self.port.host, self.port.number, ssl=tls
        )
        number: int = self._server.sockets[0].getsockname()[1]
        logger.info("Listening for %s at port %d", Protocol(self.protocol).label, number)
        return number

    async def stop(self) -> None:
        """Take nothing new, let answers that are being made go out, then close."""
        self.is_stopping = True
        if self._server:
            self._server.close()
        for connection in list(self._connections):
            if not connection.is_answering:
                connection.task.cancel()
        tasks = [connection.task for connection in self._connections]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self.limits.drain_seconds)
            for task in late:
                task.cancel()
        self._threads.shutdown(wait=True)

    async def in_thread(self, work: Callable[..., Result], *arguments: object) -> Result:
        """Run what blocks beside the event loop; it runs to its end even if nobody waits."""
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._threads, work, *arguments))

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connection = Connection(reader, writer, self, task)
        try:
            if await self._lets_in(connection):
                self._connections.add(connection)
                await self.conversation(connection)
        except TimeoutError:
            logger.info("Closed a silent connection from %s", connection.address)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            logger.info("Lost a connection from %s: %s", connection.address, type(error).__name__)
        except asyncio.CancelledError:
            logger.info("Closed a connection from %s: stopping", connection.address)
        finally:
            self._connections.discard(connection)
            writer.close()

    async def _lets_in(self, connection: Connection) -> bool:
        if self.is_stopping or len(self._connections) >= self.limits.connections:
            logger.warning("Refused a connection from %s: too many", connection.address)
            return False
        connection.senders = await self.in_thread(
            whose, self.protocol, connection.address, connection.certificate_name
        )
        if not connection.senders:
            logger.warning("Refused a connection from %s: not known", connection.address)
        return bool(connection.senders)
