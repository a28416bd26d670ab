"""What the person at the terminal sees."""

import sys

COLOURS = {"web": 36, "inference": 35, "worker": 34, "beat": 33, "outbox": 32}
WIDTH = max(map(len, COLOURS))


def say(text: str = "") -> None:
    """Tell the user one thing."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Say what is wrong."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def relay(name: str, lines: list[str]) -> None:
    """Show a process' own lines under its name."""
    label = f"{name:<{WIDTH}} |"
    if sys.stdout.isatty():
        label = f"\x1b[{COLOURS.get(name, 37)}m{label}\x1b[0m"
    for line in lines:
        sys.stdout.write(f"{label} {line}\n")
    sys.stdout.flush()


def welcome(*, address: str, told: str, logs: str) -> None:
    """Say where the site answers and how to get in."""
    rule = "=" * 72
    say(f"\n{rule}\nHematoVision answers at {address}\n")
    if told.strip():
        say(told.strip() + "\n")
    say(f"Logs: {logs}    Stop: Ctrl-C\n{rule}\n")
