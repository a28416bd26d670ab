"""Where other systems connect to: nothing listens without a port."""

from hematovision.settings import environment as e

LISTEN_HOST = e.LISTEN_HOST
LISTEN_HL7_PORT = e.LISTEN_HL7_PORT
LISTEN_ASTM_PORT = e.LISTEN_ASTM_PORT
LISTEN_CERTIFICATE = e.LISTEN_CERTIFICATE
LISTEN_KEY = e.LISTEN_KEY
LISTEN_CLIENT_AUTHORITY = e.LISTEN_CLIENT_AUTHORITY
