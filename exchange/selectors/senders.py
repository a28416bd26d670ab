"""Who may be at the other end of a connection."""

import ipaddress

from exchange.models import Sender


def find_senders(protocol: str, address: str, certificate_name: str) -> list[Sender]:
    """Return the senders that a connection may come from, by its address and its certificate."""
    senders = Sender.objects.filter(is_active=True, protocol=protocol)
    return [sender for sender in senders if _fits(sender, address, certificate_name)]


def _fits(sender: Sender, address: str, certificate_name: str) -> bool:
    if sender.certificate_name and sender.certificate_name != certificate_name:
        return False
    if not sender.networks:
        return True
    place = ipaddress.ip_address(address)
    if isinstance(place, ipaddress.IPv6Address) and place.ipv4_mapped:
        place = place.ipv4_mapped
    return any(place in ipaddress.ip_network(part) for part in sender.networks.split())
