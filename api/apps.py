"""App configuration."""

from django.apps import AppConfig

ACTIONS = {
    "api_token.created": "API token made",
    "api_token.revoked": "API token revoked",
}


class ApiConfig(AppConfig):
    """Configuration of the public API."""

    name = "api"

    def ready(self) -> None:
        from accounts.audit import register_actions  # noqa: PLC0415 - models load later

        register_actions(ACTIONS)
