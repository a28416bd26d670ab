"""The sender: a process that writes missing messages and sends what waits, a thread to each peer.

A peer that is slow or away keeps no other waiting. Several senders may run: each peer is served
by the one that holds its lock.
"""

import logging
import threading
import time
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from exchange.mllp import Stopping
from exchange.models import Peer
from exchange.services.delivery import deliver_waiting
from exchange.services.writing import write_missing

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
# Reports issued lately are looked for all the time, all others now and then.
LATELY = timedelta(days=1)
LOOK_AT_ALL_SECONDS = 600.0


def run(stop: threading.Event) -> None:
    """Serve all peers that take results until ``stop`` is set."""
    threads: dict[int, threading.Thread] = {}
    while not stop.is_set():
        for peer_id in _receiving():
            if peer_id not in threads or not threads[peer_id].is_alive():
                thread = threading.Thread(target=_serve, args=(peer_id, stop), daemon=True)
                thread.start()
                threads[peer_id] = thread
        stop.wait(LOOK_SECONDS)
    for thread in threads.values():
        thread.join()


def serve_once(peer: Peer, stop: threading.Event, *, look_at_all: bool = True) -> int:
    """Write what is missing for a peer and send what is due; return how many were tried."""
    since = None if look_at_all else timezone.now() - LATELY
    write_missing(peer, since=since)
    return deliver_waiting(peer, is_stopping=stop.is_set)


def _receiving() -> list[int]:
    try:
        return list(Peer.objects.receiving().values_list("pk", flat=True))
    except (DatabaseError, InterfaceError):
        logger.exception("The database can't be read; the sender goes on trying")
        connection.close()
        return []


def _serve(peer_id: int, stop: threading.Event) -> None:
    """Serve one peer until it is deactivated or the process stops."""
    looked_at_all = float("-inf")
    try:
        while not stop.is_set() and (peer := Peer.objects.receiving().filter(pk=peer_id).first()):
            look_at_all = time.monotonic() - looked_at_all > LOOK_AT_ALL_SECONDS
            if look_at_all:
                looked_at_all = time.monotonic()
            if not serve_once(peer, stop, look_at_all=look_at_all):
                stop.wait(LOOK_SECONDS)
    except Stopping:
        logger.info("Stopped while waiting for the answer of peer %s", peer_id)
    except (DatabaseError, InterfaceError):
        logger.exception("The database failed; peer %s is served again soon", peer_id)
    finally:
        connection.close()
