"""`manage.py register_model`: make the installed release known to the laboratory."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from classifier import inference
from classifier.exceptions import DomainError
from classifier.models import ModelVersion
from classifier.services.model_versions import activate_version, register_release
from ml.errors import ArtifactError


class Command(BaseCommand):
    """Registers once, and activates where no model is active; safe at every start."""

    help = "Register the installed model release; it becomes active if no other is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--activate", action="store_true", help="make it active in place of another"
        )

    def handle(self, *args: Any, activate: bool, verbosity: int, **options: Any) -> None:
        actor = User.system()
        try:
            version = register_release(spec=inference.active_release(), actor=actor)
        except (ArtifactError, DomainError) as error:
            raise CommandError(str(error)) from error
        if activate:
            version = activate_version(
                version_id=version.pk, actor=actor, reason="register_model --activate"
            )
        if not version.is_active:
            self._warn(version)
        elif verbosity:
            self.stdout.write(f"{version} is active.")

    def _warn(self, version: ModelVersion) -> None:
        active = ModelVersion.objects.get(is_active=True)
        self.stderr.write(
            f"{version} is installed, but {active} is active: nothing can be classified. "
            f"Install {active} again, or run `manage.py register_model --activate`."
        )
