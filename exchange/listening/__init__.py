"""The process that other systems connect to: sockets, TLS, limits; no rule of the laboratory."""
