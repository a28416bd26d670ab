"""Any store that speaks S3: sealed files as objects that are written once.

Nothing is overwritten: a new object is put only if there is none (If-None-Match), another form of
one only in place of the very bytes that were read (If-Match).
"""

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from vault.exceptions import StoreAway
from vault.stores.base import Entry, Write

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FIRST_BYTES: Final = 256 * 1024
"""Fetched with the first question: most files whole."""
_IN_MEMORY: Final = 16 * 1024 * 1024
_GONE: Final = {"404", "NoSuchKey", "NotFound"}
_TAKEN: Final = {"412", "409", "PreconditionFailed", "ConditionalRequestConflict"}


class S3Source:
    """An object, read by ranges of the version that was opened."""

    def __init__(self, store: "S3Store", name: str) -> None:
        self._store, self._name = store, name
        self._head, self._version, self.size = store.fetch_first(name)

    def read_at(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self.size)
        if end <= max(offset, len(self._head)):
            return self._head[offset:end]
        return self._store.fetch(self._name, offset, end, self._version)

    def close(self) -> None:
        self._head = b""


class S3Store:
    """Objects of a bucket whose keys begin with a prefix."""

    def __init__(self, client: "S3Client", bucket: str, prefix: str) -> None:
        self._client, self._bucket = client, bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self.place = f"the object store, bucket {bucket}"

    def put(self, name: str, write: Write) -> None:
        try:
            self._upload(name, write, IfNoneMatch="*")
        except _Refused as error:
            raise FileExistsError(name) from error

    def replace(self, entry: Entry, write: Write) -> bool:
        try:
            self._upload(entry.name, write, IfMatch=entry.version)
        except (_Refused, FileNotFoundError):
            return False
        return True

    def open(self, name: str) -> S3Source:
        return S3Source(self, name)

    def find(self, name: str) -> Entry | None:
        try:
            with self._asking(name):
                found = self._client.head_object(Bucket=self._bucket, Key=self._key(name))
        except FileNotFoundError:
            return None
        return Entry(name, found["ContentLength"], found["ETag"])

    def delete(self, name: str) -> None:
        with self._asking(name):
            self._client.delete_object(Bucket=self._bucket, Key=self._key(name))

    def destroy(self, name: str) -> None:
        """Remove the object: nothing of it can be changed in place."""
        self.delete(name)

    def walk(self, folder: str = "") -> Iterator[Entry]:
        start = self._key(f"{folder.rstrip('/')}/") if folder else self._prefix
        pages = self._client.get_paginator("list_objects_v2")
        with self._asking(folder):
            for page in pages.paginate(Bucket=self._bucket, Prefix=start):
                for found in page.get("Contents", ()):
                    name = found["Key"].removeprefix(self._prefix)
                    yield Entry(name, found["Size"], found["ETag"])

    def free_bytes(self) -> int | None:
        return None

    def check(self) -> None:
        with self._asking(""):
            self._client.head_bucket(Bucket=self._bucket)

    def fetch_first(self, name: str) -> tuple[bytes, str, int]:
        """Return the beginning of an object, its version and its size, by one question."""
        with self._asking(name):
            answer = self._client.get_object(
                Bucket=self._bucket, Key=self._key(name), Range=f"bytes=0-{FIRST_BYTES - 1}"
            )
            size = int(answer["ContentRange"].rsplit("/", 1)[1])
            return answer["Body"].read(), answer["ETag"], size

    def fetch(self, name: str, start: int, end: int, version: str) -> bytes:
        """Return a range of the very object that was opened."""
        with self._asking(name):
            answer = self._client.get_object(
                Bucket=self._bucket,
                Key=self._key(name),
                Range=f"bytes={start}-{end - 1}",
                IfMatch=version,
            )
            return answer["Body"].read()

    def _upload(self, name: str, write: Write, **condition: Any) -> None:
        """Seal aside, then send: the length is known, and a broken connection is tried again."""
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as aside:
            target: BinaryIO = aside  # type: ignore[assignment]
            write(target)
            size = target.tell()
            target.seek(0, io.SEEK_SET)
            with self._asking(name):
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=self._key(name),
                    Body=target,
                    ContentLength=size,
                    ContentType="application/octet-stream",
                    **condition,
                )

    def _key(self, name: str) -> str:
        return f"{self._prefix}{name}"

    @contextmanager
    def _asking(self, name: str) -> Iterator[None]:
        """Turn the store's complaints into ours; none names what a file holds."""
        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _GONE:
                raise FileNotFoundError(name) from error
            if code in _TAKEN:
                raise _Refused(name) from error
            raise StoreAway(f"{self.place} refused: {code or 'no reason given'}.") from error
        except BotoCoreError as error:
            raise StoreAway(f"{self.place} does not answer: {type(error).__name__}.") from error


class _Refused(Exception):
    """The condition of a write did not hold."""


@lru_cache(maxsize=2)
def store_at(url: str) -> S3Store:
    """Return the store at ``s3://bucket/prefix``, reached as the settings say."""
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.hostname:
        raise StoreAway("STORAGE_URL is to be like s3://bucket/prefix.")
    client = boto3.client(
        "s3",
        endpoint_url=settings.STORAGE_ENDPOINT or None,
        region_name=settings.STORAGE_REGION or None,
        aws_access_key_id=settings.STORAGE_ACCESS_KEY or None,
        aws_secret_access_key=settings.STORAGE_SECRET_KEY or None,
        config=Config(
            connect_timeout=5,
            read_timeout=30,
            retries={"max_attempts": 4, "mode": "standard"},
            max_pool_connections=32,
        ),
    )
    return S3Store(client, parts.netloc, parts.path)
