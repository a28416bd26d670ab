"""A laboratory that is lost, and restored on another machine."""

import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.db import connection


class Elsewhere:
    """Another machine: an empty database, an empty folder, no keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"{connection.settings_dict['NAME']}_elsewhere"
        address = urlsplit(os.environ["DATABASE_URL"])
        self.environment = os.environ | {
            "DATABASE_URL": address._replace(path=f"/{self.name}").geturl(),
            "HEMATOVISION_VAR": str(folder),
            "VAULT_KEY_FILE": str(folder / "vault.keys"),
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def restore(self, copies: Path, *more: str) -> subprocess.CompletedProcess[str]:
        return self.run("manage.py", "restore", str(copies), *more)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "copies"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    there = Elsewhere(tmp_path / "elsewhere")
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {there.name}")
        cursor.execute(f"CREATE DATABASE {there.name}")
        yield there
        cursor.execute(f"DROP DATABASE {there.name} WITH (FORCE)")


def back_up(folder: Path, **options: object) -> str:
    out = StringIO()
    call_command("backup", str(folder), stdout=out, stderr=out, **options)
    return out.getvalue()
