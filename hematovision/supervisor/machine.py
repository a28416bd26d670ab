"""What must be true of the machine before anything starts; each fault is one sentence."""

import fcntl
import ipaddress
import os
import shutil
import socket
from pathlib import Path

LEAST_FREE_BYTES = 1024**3
PORTS_TO_TRY = 50


class CannotStart(Exception):
    """The site cannot start; the message says why and what to do."""


def parse_port(text: str) -> int:
    """Return the port number, or say what a port number is."""
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise CannotStart(f"PORT must be a number from 1 to 65535, and it is {text!r}.")
    return int(text)


def check_port(host: str, port: int) -> None:
    """Refuse a port that is taken, and name one that is free."""
    try:
        _try_to_listen(host, port)
    except PermissionError:
        raise CannotStart(
            f"Port {port} is reserved for the system administrator; try make run PORT=8000"
        ) from None
    except socket.gaierror:
        raise CannotStart(f"HOST={host} is no address of this machine.") from None
    except OSError as error:
        free = _free_port(host, port)
        raise CannotStart(
            f"Port {port} on {host} cannot be used ({error.strerror}). "
            f"Choose another one: make run PORT={free}"
        ) from error


def check_disk(var: Path) -> None:
    """Refuse to run where databases and images would soon find no room."""
    try:
        var.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(var).free
    except OSError as error:
        raise CannotStart(f"The folder {var} cannot be used: {error.strerror}.") from error
    if free < LEAST_FREE_BYTES:
        raise CannotStart(
            f"The disk under {var} has {free / 1024**3:.2f} GB free; at least 1 GB is needed. "
            "Free some, or set HEMATOVISION_VAR to a folder on another disk."
        )


def claim(var: Path) -> int:
    """Return a lock that is held as long as this process lives; refuse a second site in ``var``."""
    lock = os.open(var / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 20).decode().strip()
        raise CannotStart(
            f"HematoVision already runs on the data in {var} (process {holder})."
        ) from None
    os.truncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    return lock


def names_of_this_machine(host: str) -> list[str]:
    """Return the names and addresses under which a browser may ask for a site bound to ``host``."""
    names = ["127.0.0.1", "localhost", "[::1]"]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        names += [socket.gethostname(), socket.getfqdn(), *_addresses()]
    else:
        names.append(f"[{host}]" if ":" in host else host)
    return list(dict.fromkeys(names))


def _addresses() -> list[str]:
    """Return the address other machines see; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # RFC 5737: an address of no one
        except OSError:
            return []
        return [probe.getsockname()[0]]


def _try_to_listen(host: str, port: int) -> None:
    family, kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        probe.listen(1)


def _free_port(host: str, after: int) -> int:
    for port in range(after + 1, min(after + PORTS_TO_TRY, 65536)):
        try:
            _try_to_listen(host, port)
        except OSError:
            continue
        return port
    return 8000


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a site that listens at ``host``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
