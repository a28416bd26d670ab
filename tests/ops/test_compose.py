"""docker-compose.yml and Dockerfile name what exists, and run what `make run` runs."""

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from hematovision.supervisor.programs import site_programs
from tests.ops.composition import COMPOSE, ROOT, own_services, services, variables

VARIES = {"--bind", "--schedule"}


def without_places(command: tuple[str, ...]) -> list[str]:
    """Return a command without the options that say where, and without the interpreter's path."""
    kept = ["python", *command[1:]]
    return [
        part
        for before, part in zip(["", *kept], kept, strict=False)
        if part not in VARIES and before not in VARIES
    ]


def test_runs_the_programs_that_make_run_does() -> None:
    programs = site_programs(host="0.0.0.0", port=8000, var=Path("var"), listens=True)
    supervised = [without_places(program.command) for program in programs]
    composed = [
        without_places(tuple(service["command"]))
        for name, service in own_services().items()
        if name != "prepare"
    ]
    assert sorted(composed) == sorted(supervised)


@pytest.mark.parametrize("service", own_services().values(), ids=own_services())
def test_each_command_names_a_module_that_exists(service: dict[str, Any]) -> None:
    assert service["command"][:2] == ["python", "-m"]
    assert importlib.util.find_spec(service["command"][2])


def test_each_queue_has_a_worker() -> None:
    routes = settings.CELERY_TASK_ROUTES.values()
    used = {settings.CELERY_TASK_DEFAULT_QUEUE, *(route["queue"] for route in routes)}
    commands = [service["command"] for service in own_services().values()]
    served = {line[line.index("--queues") + 1] for line in commands if "--queues" in line}
    assert served == used


def test_each_dependency_is_a_service() -> None:
    for service in services().values():
        assert set(service.get("depends_on", {})) <= set(services())


def test_production_needs_nothing_that_the_environment_lacks() -> None:
    needed = {"SECRET_KEY", "SITE_URL", "DATABASE_URL", "REDIS_URL"}
    for service in own_services().values():
        assert needed <= set(service["environment"])


def test_the_example_of_env_names_every_variable() -> None:
    named = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert named == variables() - {"VERSION"}


def test_secrets_have_no_default() -> None:
    text = COMPOSE.read_text()
    for secret in ("SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD"):
        assert set(re.findall(rf"\${{{secret}([^}}]*)}}", text)) == {":?"}


def test_no_service_is_named_so_that_it_could_not_be_scaled() -> None:
    for name, service in own_services().items():
        assert "container_name" not in service
        if name != "listener":
            assert "ports" not in service, f"{name} is reached through the proxy alone"


def test_mounted_files_exist() -> None:
    for service in services().values():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert not source.startswith(".") or (ROOT / source).is_file()


def test_the_image_is_not_root_and_takes_the_locks() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER hematovision$", text, re.MULTILINE)
    sources = [
        name
        for line in re.findall(r"^COPY (?!--)(.+)$", text, re.MULTILINE)
        for name in line.split()[:-1]
    ]
    assert all((ROOT / name).exists() for name in sources)


def test_docker_accepts_the_file(tmp_path: Path) -> None:
    docker = shutil.which("docker") or ""
    if not docker or subprocess.run([docker, "compose", "version"], check=False).returncode:
        pytest.skip("docker compose is not installed, so its own check of the file is left out")
    values = tmp_path / "env"
    values.write_text("".join(f"{name}=value\n" for name in variables()))
    subprocess.run(
        [docker, "compose", f"--file={COMPOSE}", f"--env-file={values}", "config", "--quiet"],
        check=True,
    )
