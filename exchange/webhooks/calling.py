"""One HTTP call with a deadline: no redirects, no proxy, and of the answer only its status."""

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from django.conf import settings

from exchange.webhooks.addresses import Target


class CallFailed(Exception):
    """No status was answered; says why, in words fit for the page."""


def post(target: Target, *, headers: Mapping[str, str], body: bytes) -> int:
    """Send ``body`` and return the status that was answered, within `WEBHOOK_SECONDS` in all.

    Raises:
        CallFailed: not reached, no valid certificate, or no answer in time.
    """
    try:
        with _connected(target) as connection:
            connection.request("POST", target.path, body=body, headers=dict(headers))
            return connection.getresponse().status
    except ssl.SSLCertVerificationError as error:
        raise CallFailed(f"The certificate is not valid: {error.verify_message}") from error
    except TimeoutError as error:
        raise CallFailed("No answer in time.") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise CallFailed(f"Not reached, or no answer: {type(error).__name__}.") from error


@contextmanager
def _connected(target: Target) -> Iterator[http.client.HTTPConnection]:
    """Connect to the judged address; when time is up the socket is shut, whatever it does."""
    seconds = settings.WEBHOOK_SECONDS
    held = [socket.create_connection((target.address, target.port), timeout=seconds)]
    expired = threading.Event()

    def shut() -> None:
        expired.set()
        with suppress(OSError):
            held[-1].shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, shut)
    timer.daemon = True
    timer.start()
    try:
        if target.uses_tls:
            context = ssl.create_default_context()
            held.append(context.wrap_socket(held[0], server_hostname=target.host))
        connection = http.client.HTTPConnection(_named(target.host), target.port)
        connection.sock = held[-1]
        yield connection
        if expired.is_set():  # what was read then may be but the beginning of an answer
            raise TimeoutError
    except (OSError, http.client.HTTPException) as error:
        if expired.is_set():
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()
        for item in held:
            item.close()


def _named(host: str) -> str:
    return f"[{host}]" if ":" in host else host
