"""A security key in software: sets itself up and signs as a real one does."""

import json
import secrets
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

ORIGIN = "http://testserver"
FLAG = AuthenticatorData.FLAG


class SecurityKey:
    """One key with one credential; it has checked who holds it, by PIN or finger."""

    def __init__(self, *, is_passkey: bool = False) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        self._id = secrets.token_bytes(32)
        self._is_passkey = is_passkey
        self._holder = ""

    def create(self, options: dict[str, Any]) -> str:
        """Return what a browser posts after the key was set up."""
        public = options["publicKey"]
        self._holder = public["user"]["id"]
        data = AttestedCredentialData.create(
            b"\0" * 16, self._id, ES256.from_cryptography_key(self._private.public_key())
        )
        flags = FLAG.UP | FLAG.UV | FLAG.AT
        made = AuthenticatorData.create(_digest(public["rp"]["id"]), flags, 0, data)
        client = _client_data("webauthn.create", public["challenge"])
        response = {
            "clientDataJSON": websafe_encode(client),
            "attestationObject": websafe_encode(AttestationObject.create("none", made, {})),
        }
        extensions = {"credProps": {"rk": self._is_passkey}}
        return self._posted(response, extensions)

    def get(self, options: dict[str, Any]) -> str:
        """Return what a browser posts after the key signed the challenge."""
        public = options["publicKey"]
        made = AuthenticatorData.create(_digest(public["rpId"]), FLAG.UP | FLAG.UV, 1)
        client = _client_data("webauthn.get", public["challenge"])
        signature = self._private.sign(made + client.hash, ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": websafe_encode(client),
            "authenticatorData": websafe_encode(made),
            "signature": websafe_encode(signature),
            "userHandle": self._holder,
        }
        return self._posted(response, {})

    def _posted(self, response: dict[str, str], extensions: dict[str, Any]) -> str:
        name = websafe_encode(self._id)
        return json.dumps(
            {
                "type": "public-key",
                "id": name,
                "rawId": name,
                "clientExtensionResults": extensions,
                "response": response,
            }
        )


def _digest(host: str) -> bytes:
    return sha256(host.encode()).digest()


def _client_data(kind: str, challenge: str) -> CollectedClientData:
    return CollectedClientData.create(kind, websafe_decode(challenge), ORIGIN)
