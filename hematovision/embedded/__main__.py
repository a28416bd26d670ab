"""Command line of the embedded servers: start, url, stop, and run a command beside them."""

import argparse
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from hematovision.embedded import EmbeddedError, EmbeddedServers
from hematovision.embedded.runtime import fate_of_child

DEFAULT_VAR = Path(__file__).resolve().parents[2] / "var"


def main(arguments: list[str]) -> int:
    """Do what the command line asks; an expected failure is one sentence and status 1."""
    parser = argparse.ArgumentParser(prog="python -m hematovision.embedded", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("start", help="start both servers, leave them running, print their URLs")
    actions.add_parser("url", help="print their URLs, ready for `eval`")
    actions.add_parser("stop", help="stop both servers")
    run = actions.add_parser("run", help="run a command beside the servers, then stop them")
    run.add_argument("command", nargs=argparse.REMAINDER, help="-- COMMAND [ARGUMENT...]")
    options = parser.parse_args(arguments)
    var = Path(os.environ.get("HEMATOVISION_VAR") or DEFAULT_VAR)
    try:
        if options.action == "run":
            return _run(var, [part for part in options.command if part != "--"])
        return _manage(var, options.action)
    except EmbeddedError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _manage(var: Path, action: str) -> int:
    servers = EmbeddedServers(var, outlive=True)
    if action == "stop":
        servers.stop_all()
        return 0
    if action == "start":
        servers.start()
    for name, value in servers.environment.items():
        sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
    return 0


def _run(var: Path, command: list[str]) -> int:
    with EmbeddedServers(var) as servers:
        environment = os.environ | servers.environment
        fate = fate_of_child(signal.SIGTERM)
        done = subprocess.run(command, env=environment, preexec_fn=fate, check=False)
        return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
