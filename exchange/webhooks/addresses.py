"""Where a webhook may lead: to no address inside the network that nobody allowed.

The name is resolved once and the call goes to the very address that was judged, so that a name
which changes its mind in between (DNS rebinding) leads nowhere else.
"""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
# They carry an IPv4 address inside, which may be any: NAT64, 6to4, Teredo.
CARRIERS = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "2002::/16", "2001::/32")))
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(Exception):
    """An address that no webhook may lead to; says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call goes: the name that the certificate has to carry, and the judged address."""

    host: str
    address: str
    port: int
    path: str
    uses_tls: bool


def check_url(url: str) -> None:
    """Refuse what can't be a webhook's address, whatever its name resolves to.

    Raises:
        AddressRefused: not HTTPS (but for loopback where that is allowed), or not plain.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused("This is not an address.") from error
    if not parts.hostname or port == 0 or any(ord(sign) <= ord(" ") for sign in url):
        raise AddressRefused("This is not an address.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise AddressRefused("Give an address without log-in and without fragment.")
    is_local = settings.WEBHOOK_LOOPBACK and parts.hostname in LOOPBACK_NAMES
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        raise AddressRefused("The address has to begin with https://.")


def find_target(url: str) -> Target:
    """Resolve a webhook's address and judge each answer.

    Raises:
        AddressRefused: see `check_url`; the name isn't known, or leads into the network.
    """
    check_url(url)
    parts = urlsplit(url)
    host, uses_tls = str(parts.hostname), parts.scheme == "https"
    port = parts.port or (443 if uses_tls else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressRefused("The name of the address is not known.") from error
    addresses = [str(item[4][0]) for item in found]
    if not addresses or not all(is_allowed(address) for address in addresses):
        raise AddressRefused("The address leads into this network; nobody has allowed that.")
    path = parts.path or "/"
    query = f"?{parts.query}" if parts.query else ""
    return Target(host, addresses[0], port, path + query, uses_tls)


def is_allowed(text: str) -> bool:
    """Say whether a call may go to an IP address."""
    address: IpAddress = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_loopback:
        return bool(settings.WEBHOOK_LOOPBACK)
    networks = map(ipaddress.ip_network, settings.WEBHOOK_PRIVATE_NETWORKS)
    if any(address in network for network in networks):
        return True
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in carrier for carrier in CARRIERS)
    )
