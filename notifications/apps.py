"""App configuration."""

from django.apps import AppConfig

ACTIONS = {
    "notices.own_choices_changed": "Own choice of notices changed",
    "notices.role_choices_changed": "A role's choice of notices changed",
}


class NotificationsConfig(AppConfig):
    """Configuration of notices."""

    name = "notifications"

    def ready(self) -> None:
        from accounts.audit import LISTENERS, register_actions  # noqa: PLC0415
        from notifications import trail_notices  # noqa: PLC0415
        from notifications.kinds import register_kinds  # noqa: PLC0415
        from notifications.services.telling import tell  # noqa: PLC0415

        register_actions(ACTIONS)
        register_kinds(*trail_notices.KINDS)
        LISTENERS.append(tell)
