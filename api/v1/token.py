"""The token that asks: whose it is, what it may do, until when."""

from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from api.enums import Scope
from api.policies import may_use
from api.shapes.problems import TokenShape
from api.v1.base import ApiView, TokenRequest
from api.v1.describing import reads

TAG = "Token"


class Token(ApiView):
    """What a program may ask first."""

    permission_classes = [IsAuthenticated]

    @reads(TokenShape, tag=TAG, summary="Read the token", found=False, operation_id="read_token")
    def get(self, request: TokenRequest) -> Response:
        """Return what the token opens now; scopes whose duty its owner lost are left out."""
        token = request.auth
        told = {
            "id": token.pk,
            "name": token.name,
            "owner": token.owner.full_name,
            "scopes": [scope for scope in token.scopes if may_use(token, Scope(scope))],
            "expires_at": token.expires_at,
        }
        return Response(TokenShape(told).data)
