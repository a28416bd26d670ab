"""App configuration."""

from django.apps import AppConfig

ACTIONS: dict[str, str] = {
    "drift.baseline_set": "Baseline of the drift board set",
    "drift.noticed": "Drift noticed",
}


class QualityConfig(AppConfig):
    """Configuration of the quality boards."""

    name = "quality"

    def ready(self) -> None:
        from accounts.audit import register_actions  # noqa: PLC0415 - models load later
        from notifications.kinds import register_kinds  # noqa: PLC0415
        from quality import notices  # noqa: PLC0415

        register_actions(ACTIONS)
        register_kinds(*notices.KINDS)
