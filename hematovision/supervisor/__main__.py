"""Start the site and keep it running until Ctrl-C or SIGTERM."""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

from hematovision.embedded import EmbeddedError, EmbeddedServers
from hematovision.supervisor import machine, terminal
from hematovision.supervisor.machine import CannotStart
from hematovision.supervisor.programs import site_programs
from hematovision.supervisor.site import Site

ROOT = Path(__file__).resolve().parents[2]
LISTENER_PORTS = ("LISTEN_HL7_PORT", "LISTEN_ASTM_PORT")


EVERYBODY_CAN_SIGN_IN = (
    "\nWARNING: everybody on the network can reach these accounts. Enter no real patient; "
    "use DEMO=0 on a new database for real work.\n"
)


class StopRequested(Exception):
    """Someone asked to stop before the site was up."""


def main(arguments: list[str]) -> int:
    """Run the site; an expected failure is one sentence and status 1, a wished end status 0."""
    options = _parse(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _request_stop)
    try:
        return _run(options)
    except StopRequested:
        terminal.say("Stopped before the site was up.")
        return 0
    except (CannotStart, EmbeddedError) as problem:
        terminal.complain(f"HematoVision cannot start: {problem}")
        return 1


def _run(options: argparse.Namespace) -> int:
    var = Path(os.environ.get("HEMATOVISION_VAR") or ROOT / "var").expanduser().resolve()
    port = machine.parse_port(options.port)
    machine.check_port(options.host, port)
    machine.check_disk(var)
    lock = machine.claim(var)
    servers = EmbeddedServers(var, given=os.environ)
    try:
        if servers.servers:
            terminal.say("Starting the embedded database and message broker ...")
        servers.start()
        environment = _environment(options.host, port, var) | servers.environment
        told = _prepare(options, environment, var)
        if told and not machine.is_loopback(options.host):
            told += EVERYBODY_CAN_SIGN_IN
        listens = any(environment.get(name, "0") != "0" for name in LISTENER_PORTS)
        programs = site_programs(host=options.host, port=port, var=var, listens=listens)
        site = Site(programs, servers=servers, environment=environment, logs=var / "log")
        return site.run(host=options.host, port=port, told=told)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        servers.stop()
        os.close(lock)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", default="8000")
    parser.add_argument("--images", default="", help="folder of pictures for the demonstration")
    parser.add_argument("--no-demo", action="store_true", help="leave an empty database empty")
    return parser.parse_args(arguments)


def _environment(host: str, port: int, var: Path) -> dict[str, str]:
    """Return the children's environment; what the user has set wins."""
    names = machine.names_of_this_machine(host)
    shown = names[3] if len(names) > 3 else names[0]
    defaults = {
        "SITE_URL": f"http://{shown}:{port}",
        "ALLOWED_HOSTS": ",".join(names),
        "PYTHONUNBUFFERED": "1",
    }
    given = {name: value for name, value in os.environ.items() if value}
    fixed = {"DJANGO_SETTINGS_MODULE": "hematovision.settings", "HEMATOVISION_VAR": str(var)}
    return defaults | given | fixed


def _prepare(options: argparse.Namespace, environment: dict[str, str], var: Path) -> str:
    """Prepare database and files in a process that ends; return what the user is to be told."""
    accounts = var / "demo-accounts.txt"
    command = [sys.executable, "-m", "hematovision.supervisor.prepare"]
    if not options.no_demo:
        command += ["--demo", "--accounts", str(accounts)]
        command += ["--images", options.images] if options.images else []
    accounts.unlink(missing_ok=True)
    done = subprocess.run(command, env=environment, start_new_session=True, check=False)
    if done.returncode:
        raise CannotStart("the site could not be prepared; the reason stands above.")
    return accounts.read_text() if accounts.exists() else ""


def _request_stop(_number: int, _frame: FrameType | None) -> None:
    raise StopRequested


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
