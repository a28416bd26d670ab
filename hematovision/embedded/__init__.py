"""Embedded PostgreSQL and Redis: real servers from wheels, their data under the var folder."""

from hematovision.embedded.runtime import EmbeddedError
from hematovision.embedded.servers import EmbeddedServers

__all__ = ["EmbeddedError", "EmbeddedServers"]
