"""Fixtures: a store in a folder and one behind a real S3 server, and keys of a test's own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from pytest_django import Settings

from vault.storage import VaultStorage
from vault.stores.s3 import store_at

REGION = "eu-central-1"
USER, PASS = "laboratory", "no-secret"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of an S3 server that runs in a process of its own."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("The S3 server does not start.")


@pytest.fixture
def bucket(s3_server: str, settings: Settings, request: pytest.FixtureRequest) -> str:
    """Point the settings at a fresh bucket; returns its name."""
    name = f"laboratory-{abs(hash(request.node.nodeid))}"
    raw_client(s3_server).create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    use_bucket(settings, s3_server, name)
    return name


def use_bucket(settings: Settings, server: str, name: str) -> None:
    settings.STORAGE_URL = f"s3://{name}/first/site"
    settings.STORAGE_ENDPOINT = server
    settings.STORAGE_REGION = REGION
    settings.STORAGE_ACCESS_KEY = USER
    settings.STORAGE_SECRET_KEY = PASS
    store_at.cache_clear()


def raw_client(server: str):  # type: ignore[no-untyped-def]
    """A client of the server that knows nothing of the vault."""
    config = Config(retries={"max_attempts": 1})
    return boto3.client(
        "s3",
        endpoint_url=server,
        region_name=REGION,
        config=config,
        aws_access_key_id=USER,
        aws_secret_access_key=PASS,
    )


@pytest.fixture
def own_keys(settings: Settings, tmp_path: Path) -> Path:
    """A key file of the test's own, not made yet."""
    settings.VAULT_KEYS = []
    settings.VAULT_KEY_FILE = tmp_path / "keys" / "vault.keys"
    return Path(settings.VAULT_KEY_FILE)


@pytest.fixture(params=["disk", "s3"])
def storage(request: pytest.FixtureRequest, own_keys: Path, db: None) -> VaultStorage:
    """The laboratory's storage, over a folder and over an object store."""
    if request.param == "s3":
        request.getfixturevalue("bucket")
    return VaultStorage()
