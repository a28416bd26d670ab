"""What both embedded servers need of the operating system: folders, accounts, child processes."""

import ctypes
import hashlib
import os
import pwd
import signal
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

# A Unix socket's path may have 107 bytes on Linux; "/.s.PGSQL.5432.lock" takes 19 of them.
LONGEST_SOCKET_DIR = 85
PR_SET_PDEATHSIG = 1  # linux/prctl.h


class EmbeddedError(Exception):
    """An embedded server cannot run; the message is one sentence for the person who started it."""


def service_account() -> pwd.struct_passwd:
    """Return the account PostgreSQL runs under: ours, or for root, which it refuses, another.

    Debian's ``postgres`` exists to own database files; ``nobody`` exists everywhere.
    """
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EmbeddedError(
        "PostgreSQL refuses to run as root, and neither account 'postgres' nor 'nobody' exists."
    )


def socket_dir(data: Path) -> Path:
    """Return the folder for the sockets of the server whose data lie in ``data``.

    It is short and without spaces whatever the data's path, and differs between checkouts.
    """
    name = f"hematovision-{hashlib.sha256(os.fsencode(data)).hexdigest()[:12]}"
    candidate = Path(tempfile.gettempdir()) / name
    path = os.fsencode(candidate)
    unfit = len(path) > LONGEST_SOCKET_DIR or any(mark in path for mark in b" ,'\"")
    return Path("/tmp") / name if unfit else candidate  # noqa: S108 - made private


def make_private(folder: Path, owner: pwd.struct_passwd) -> None:
    """Make ``folder`` one that only ``owner`` can enter; refuse what a stranger has put there."""
    try:
        folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (0, owner.pw_uid):
            raise EmbeddedError(
                f"{folder} belongs to another user; remove it or set TMPDIR to a folder of yours."
            ) from None
        if os.geteuid() == 0:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        folder.chmod(0o700)


def open_the_way(target: Path, owner: pwd.struct_passwd) -> None:
    """As root, let ``owner`` pass through (not list) the folders that lead to ``target``."""
    if os.geteuid() != 0:
        return
    for folder in target.resolve().parents:
        mode = folder.stat().st_mode
        if folder.stat().st_uid != owner.pw_uid and not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def make_readable(tree: Path) -> None:
    """As root under a strict umask, let other accounts read and run what lies in ``tree``."""
    if os.geteuid() != 0:
        return
    for path in (tree, *tree.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        wanted = mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
        if wanted != mode:
            path.chmod(wanted)


def fate_of_child(stop_signal: signal.Signals, *, outlive: bool = False) -> Callable[[], None]:
    """Return what a child calls first: it is told to stop should its parent be killed.

    It runs between fork and exec. That is unsafe in a process with threads, of which the
    supervisor, the test run and the command line have none when they start a server.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def ask_kernel() -> None:
        if not outlive:
            libc.prctl(PR_SET_PDEATHSIG, int(stop_signal))

    return ask_kernel


def works_in(pid: int, folder: Path) -> bool:
    """Whether process ``pid`` lives and has ``folder`` as its working folder."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == folder
    except OSError:
        return False
