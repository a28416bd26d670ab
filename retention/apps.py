"""App configuration."""

from django.apps import AppConfig

ACTIONS = {
    "retention_rule.proposed": "Retention rule proposed",
    "retention_rule.approved": "Retention rule approved",
    "retention_rule.retired": "Retention rule retired",
}


class RetentionConfig(AppConfig):
    """Configuration of retention."""

    name = "retention"

    def ready(self) -> None:
        from accounts.audit import register_actions  # noqa: PLC0415 - models load later
        from accounts.history.following import Followed, follow  # noqa: PLC0415

        register_actions(ACTIONS)
        follow(Followed("retention_retentionrule"))
