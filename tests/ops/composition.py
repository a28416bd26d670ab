"""docker-compose.yml as the tests read it."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"


def services() -> dict[str, dict[str, Any]]:
    """Return all services, anchors resolved."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def own_services() -> dict[str, dict[str, Any]]:
    """Return the services that run the product's image."""
    return {name: one for name, one in services().items() if "build" in one}


def variables() -> set[str]:
    """Return what the file takes from .env."""
    return set(re.findall(r"\$\{(\w+)", COMPOSE.read_text()))
