"""One supervised process: started, read line by line, restarted with growing delay, stopped."""

import contextlib
import logging.handlers
import os
import signal
import subprocess
import time
from pathlib import Path

from hematovision.embedded.runtime import fate_of_child
from hematovision.supervisor.programs import Program

STEADY_SECONDS = 60
LONGEST_DELAY = 30.0
LOG_BYTES, LOG_COPIES = 10 * 1024 * 1024, 5


class Child:
    """A program and its present process, in a session of its own.

    So Ctrl-C in the terminal reaches the supervisor alone, which stops things in order. Should the
    supervisor be killed, the kernel asks the process to stop.
    """

    def __init__(self, program: Program, *, environment: dict[str, str], logs: Path):
        self.program = program
        self.environment = environment
        self.process: subprocess.Popen[bytes] | None = None
        self.output = -1
        self.restarts = 0
        self.start_at = 0.0
        self.last_line = ""
        self._started = 0.0
        self._partial = b""
        self._log = _open_log(logs / f"{program.name}.log")

    def start(self) -> None:
        """Start the program."""
        self.process = subprocess.Popen(
            self.program.command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=fate_of_child(signal.SIGTERM),  # noqa: PLW1509 - we have no threads
        )
        self._started = time.monotonic()
        assert self.process.stdout is not None
        self.output = self.process.stdout.fileno()
        os.set_blocking(self.output, False)

    def read_lines(self) -> list[str] | None:
        """Return the whole lines written since last asked, or None at the end of the output."""
        try:
            block = os.read(self.output, 65536)
        except BlockingIOError:
            return []
        *lines, self._partial = (self._partial + block).split(b"\n")
        if not block and self._partial:
            lines, self._partial = [self._partial], b""
        texts = [line.decode(errors="replace") for line in lines]
        for text in texts:
            self._log.info(text)
            self.last_line = text or self.last_line
        return texts if block or texts else None

    def bury(self) -> None:
        """After the process died, end what it had started and close its output."""
        self.kill()
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()

    def is_running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def schedule_restart(self) -> float:
        """Return in how many seconds a process that has died is to be started again."""
        if time.monotonic() - self._started > STEADY_SECONDS:
            self.restarts = 0
        delay = min(2.0**self.restarts - 1, LONGEST_DELAY)
        self.restarts += 1
        self.start_at = time.monotonic() + delay
        return delay

    def ask_to_stop(self) -> None:
        """Let the process finish what it is doing and go."""
        if self.process is not None and self.is_running():
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process and whatever it started."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def _open_log(path: Path) -> logging.Logger:
    logger = logging.getLogger(f"program.{path.stem}")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=LOG_BYTES, backupCount=LOG_COPIES, encoding="utf-8"
    )
    logger.addHandler(handler)
    return logger
