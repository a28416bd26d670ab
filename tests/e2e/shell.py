"""Calls a function in a shell of the running site's own: same settings, database and files."""

import json
import subprocess
import sys
from typing import Any

from hematovision.embedded import EmbeddedServers
from tests.e2e.conftest import ROOT, Site, site_environment


def ask(site: Site, module: str, call: str) -> Any:
    """Return the JSON that a call such as ``make()`` of a module of this package writes."""
    done = subprocess.run(
        [
            *(sys.executable, "manage.py", "shell", "-v0", "-c"),
            f"from tests.e2e import {module}; {module}.{call}",
        ],
        cwd=ROOT,
        env=site_environment(site.var) | EmbeddedServers(site.var).environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
