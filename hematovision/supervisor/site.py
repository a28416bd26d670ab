"""The running site: its processes watched, restarted when they die, stopped in order."""

import contextlib
import http.client
import os
import selectors
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from hematovision.embedded import EmbeddedServers
from hematovision.supervisor import terminal
from hematovision.supervisor.child import Child
from hematovision.supervisor.machine import CannotStart
from hematovision.supervisor.programs import Program

TICK = 0.2
READY_SECONDS = 120
ATTEMPTS_TO_START = 3


class Site:
    """The site's processes from start to stop, in one thread."""

    def __init__(
        self,
        programs: list[Program],
        *,
        servers: EmbeddedServers,
        environment: dict[str, str],
        logs: Path,
    ):
        logs.mkdir(parents=True, exist_ok=True)
        self.waiting = [Child(one, environment=environment, logs=logs) for one in programs]
        self.children: list[Child] = []
        self.servers = servers
        self.logs = logs
        self.environment = environment
        self.stop_signals = 0
        self._outputs = selectors.DefaultSelector()

    def run(self, *, host: str, port: int, told: str) -> int:
        """Run until asked to stop."""
        with self._signals_counted():
            try:
                self._start_next()
                self._wait_until_ready(host, port)
                while self.waiting and not self.stop_signals:
                    self._start_next()
                if not self.stop_signals:
                    address = self.environment["SITE_URL"]
                    terminal.welcome(address=address, told=told, logs=str(self.logs))
                while not self.stop_signals:
                    self._tick()
            finally:
                self._stop()
        return 0

    @contextlib.contextmanager
    def _signals_counted(self) -> Iterator[None]:
        """Turn signals into a count that the loop looks at, and wake it up."""
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer)
        self._outputs.register(reader, selectors.EVENT_READ, None)

        def count(_number: int, _frame: FrameType | None) -> None:
            self.stop_signals += 1

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, count)
        try:
            yield
        finally:
            signal.set_wakeup_fd(-1)
            os.close(reader)
            os.close(writer)

    def _start_next(self) -> None:
        """Start the next program; the first, the web server, has the machine to itself at first."""
        child = self.waiting.pop(0)
        self.children.append(child)
        self._start(child)

    def _start(self, child: Child) -> None:
        child.start()
        self._outputs.register(child.output, selectors.EVENT_READ, child)

    def _tick(self) -> None:
        """Relay what was written, and start again what has died."""
        self._relay_output()
        for name in self.servers.revive():
            terminal.complain(f"{name} had stopped and was started again.")
        for child in self.children:
            if not child.is_running():
                self._look_after(child)

    def _relay_output(self) -> None:
        for key, _ in self._outputs.select(TICK):
            if key.data is None:
                os.read(key.fd, 512)
            else:
                self._relay(key.data)

    def _relay(self, child: Child) -> None:
        lines = child.read_lines()
        if lines is None:
            self._outputs.unregister(child.output)
        else:
            terminal.relay(child.program.name, lines)

    def _look_after(self, child: Child) -> None:
        """Schedule the restart of a process that is gone, or start it when its time has come."""
        if child.start_at == 0:
            self._bury(child)
            delay = child.schedule_restart()
            when = f"in {delay:.0f} s" if delay else "now"
            status = child.process.returncode if child.process else None
            terminal.complain(
                f"{child.program.name} ended (status {status}); starting again {when}."
            )
        elif time.monotonic() >= child.start_at:
            child.start_at = 0
            self._start(child)

    def _bury(self, child: Child) -> None:
        """Show a dead process' last words and clear away what it left."""
        if child.output in self._outputs.get_map():
            self._relay(child)
        if child.output in self._outputs.get_map():
            self._outputs.unregister(child.output)
        child.bury()

    def _wait_until_ready(self, host: str, port: int) -> None:
        """Wait for a healthy answer; give up on a web server that keeps dying."""
        web = self.children[0]
        deadline = time.monotonic() + READY_SECONDS
        while not self.stop_signals and not _answers(host, port):
            self._tick()
            if web.restarts >= ATTEMPTS_TO_START or time.monotonic() > deadline:
                raise CannotStart(
                    f"the web server does not answer. Its last line: {web.last_line or 'none'} "
                    f"(all of them: {self.logs / 'web.log'})"
                )

    def _stop(self) -> None:
        """Ask all to stop, wait each one's grace (a second signal ends it), kill the rest."""
        terminal.say("\nStopping ...")
        asked, signals = time.monotonic(), self.stop_signals
        for child in self.children:
            child.ask_to_stop()
        while waiting := [child for child in self.children if child.is_running()]:
            self._relay_output()
            waited = time.monotonic() - asked
            if self.stop_signals > max(signals, 1):
                break
            if all(waited > child.program.grace for child in waiting):
                break
        for child in self.children:
            child.kill()
        self._relay_output()
        terminal.say("Stopped.")


def _answers(host: str, port: int) -> bool:
    """Whether the site says that it is ready."""
    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound
    connection = http.client.HTTPConnection(target, port, timeout=5)
    try:
        connection.request("GET", "/health/ready", headers={"Host": "localhost"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
