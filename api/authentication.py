"""Who asks: a bearer token, and nothing else. A browser's session opens nothing here."""

from typing import TYPE_CHECKING

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.context import act_by
from api.exceptions import TokenInvalid
from api.models import ApiToken
from api.services.tokens import use_token

if TYPE_CHECKING:
    from accounts.models import User

SCHEME = "Bearer"


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer hv_…` (RFC 6750), checked anew at each request.

    Browsers add no such header by themselves, so no other site can make one act.
    """

    def authenticate(self, request: Request) -> "tuple[User, ApiToken] | None":
        """Return the owner and the token; None where no token was shown."""
        scheme, _, text = request.headers.get("Authorization", "").strip().partition(" ")
        if not scheme:
            return None
        if scheme.lower() != SCHEME.lower():
            raise AuthenticationFailed(f"Show a token: Authorization: {SCHEME} hv_….")
        try:
            token = use_token(text.strip())
        except TokenInvalid as refusal:
            raise AuthenticationFailed(str(refusal)) from refusal
        act_by(token.means)
        token.owner.acts_by_program = True
        return token.owner, token

    def authenticate_header(self, request: Request) -> str:
        """Tell the client how to ask (RFC 9110, 11.6.1)."""
        return f'{SCHEME} realm="HematoVision"'
