"""The request being served: its id, the client's address and means, for audit and logs."""

import ipaddress
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_client_address: ContextVar[str | None] = ContextVar("client_address", default=None)
_means: ContextVar[str] = ContextVar("means", default="")


def current_request_id() -> str:
    """Return the id of the request being served, or nothing outside one."""
    return _request_id.get()


def current_client_address() -> str | None:
    """Return the address of the client being served, or None outside a request."""
    return _client_address.get()


def current_means() -> str:
    """Return by what the person acts if not in a session: which token; empty otherwise."""
    return _means.get()


def act_by(means: str) -> None:
    """Note by what the person acts, until the request is served; nothing outside one."""
    if current_request_id():
        _means.set(means)


@contextmanager
def request_context(*, request_id: str, client_address: str | None) -> Iterator[None]:
    """Serve one request: everything recorded meanwhile carries its id and address."""
    id_token = _request_id.set(request_id)
    address_token = _client_address.set(client_address)
    means_token = _means.set("")
    try:
        yield
    finally:
        _request_id.reset(id_token)
        _client_address.reset(address_token)
        _means.reset(means_token)


def request_id_of(request: HttpRequest) -> str:
    """Return the caller's X-Request-ID if it is a UUID, else a new one."""
    try:
        return str(uuid.UUID(request.headers.get("X-Request-ID", "")))
    except ValueError:
        return str(uuid.uuid4())


def client_address_of(request: HttpRequest) -> str | None:
    """Return the nearest address that is not one of our own proxies.

    X-Forwarded-For is believed only as far back as TRUSTED_PROXIES vouch for it.
    """
    hops = [request.META.get("REMOTE_ADDR", "")]
    hops += reversed(request.headers.get("X-Forwarded-For", "").split(","))
    address = None
    for hop in hops:
        try:
            address = ipaddress.ip_address(hop.strip())
        except ValueError:
            break
        if not any(address in ipaddress.ip_network(net) for net in settings.TRUSTED_PROXIES):
            break
    return None if address is None else str(address)
