"""`manage.py register_model`: make the installed release known, or one that lies elsewhere."""

from argparse import ArgumentParser
from getpass import getuser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from classifier import inference
from classifier.exceptions import DomainError
from classifier.models import ModelVersion
from classifier.services.model_versions import register_release
from learning.enums import Origin
from learning.services.promotions import put_in_use_by_command
from learning.services.releases import keep_installed, register_candidate
from ml.errors import ArtifactError


class Command(BaseCommand):
    """Registers once, and activates where no model is active; safe at every start."""

    help = (
        "Register the installed model release; it becomes active if no other is. With PATH, "
        "register the release there (a folder, zip or tar) as a candidate. --activate puts it in "
        "use without a comparison, which stands among the promotions under your name and reason."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", nargs="?", type=Path, metavar="PATH")
        parser.add_argument(
            "--activate", action="store_true", help="put it in use in place of another"
        )
        parser.add_argument("--reason", default="", help="why it is put in use; --activate asks it")
        parser.add_argument(
            "--by", default=None, help="who puts it in use, if not this machine's account"
        )

    def handle(
        self, *args: Any, path: Path | None, activate: bool, verbosity: int, **options: Any
    ) -> None:
        if activate and not options["reason"].strip():
            raise CommandError("Say with --reason why it is put in use.")
        try:
            version = self._register(path)
            if activate:
                put_in_use_by_command(
                    version_id=version.pk,
                    reason=options["reason"],
                    operator=options["by"] or getuser(),
                )
                version.refresh_from_db()
        except (ArtifactError, DomainError) as error:
            raise CommandError(str(error)) from error
        if not version.is_active:
            self._tell_waiting(version, is_installed=path is None)
        elif verbosity:
            self.stdout.write(f"{version} is active.")

    def _register(self, path: Path | None) -> ModelVersion:
        actor = User.system()
        if path is not None:
            return register_candidate(path, origin=Origin.COMMAND, actor=actor)
        version = register_release(spec=inference.active_release(), actor=actor)
        return keep_installed(version, inference.active_release_dir(), actor=actor)

    def _tell_waiting(self, version: ModelVersion, *, is_installed: bool) -> None:
        active = ModelVersion.objects.filter(is_active=True).first()
        if active is None or active.release_sha256:
            self.stdout.write(f"{version} is registered; {active or 'nothing'} is in use.")
        elif is_installed:
            self.stderr.write(
                f"{version} is installed, but {active} is active: nothing can be classified. "
                f"Install {active} again, or run "
                "`manage.py register_model --activate --reason TEXT`."
            )
        else:
            self.stdout.write(f"{version} is registered as a candidate.")
