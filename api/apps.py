"""App configuration."""

from django.apps import AppConfig

ACTIONS = {
    "api_token.created": "API token made",
    "api_token.revoked": "API token revoked",
    "api_token.ends_soon": "API token ends soon",
}


class ApiConfig(AppConfig):
    """Configuration of the public API."""

    name = "api"

    def ready(self) -> None:
        from accounts.audit import register_actions  # noqa: PLC0415 - models load later
        from api import notices  # noqa: PLC0415
        from notifications.kinds import register_kinds  # noqa: PLC0415

        register_actions(ACTIONS)
        register_kinds(*notices.KINDS)
