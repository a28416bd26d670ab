"""App configuration."""

from django.apps import AppConfig

ACTIONS: dict[str, str] = {
    "vault.keys_rotated": "Brought stored files under the current key",
    "vault.clock_doubted": "Noticed that a clock is wrong, or was set back",
    "vault.checked": "Checked all stored files",
    "vault.backed_up": "Made a backup",
    "vault.backup_proved": "Verified a backup",
    "vault.work_requested": "Asked for work on copies or stored files",
    "vault.work_failed": "Work on copies or stored files failed",
    "vault.restored": "Restored the laboratory from a backup",
}


class VaultConfig(AppConfig):
    """Configuration of the keys that images are stored under."""

    name = "vault"

    def ready(self) -> None:
        from accounts.audit import register_actions  # noqa: PLC0415 - models load later

        register_actions(ACTIONS)
