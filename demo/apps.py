"""App configuration."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Configuration of the demonstration laboratory; it has no tables."""

    name = "demo"

    def ready(self) -> None:
        from accounts.audit import register_actions  # noqa: PLC0415 - models load later

        register_actions({"demo.seeded": "Demonstration laboratory made"})
