"""Invite a person from the command line: how a new site gets its first administrator."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import services
from accounts.enums import Role
from accounts.exceptions import AccountError
from accounts.models import User


class Command(BaseCommand):
    """Makes an account and prints the link that opens it."""

    help = "Invite a person and print the one-time link with which they set their password."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("full_name")
        parser.add_argument("--role", choices=Role.values, default=Role.ADMINISTRATOR.value)
        parser.add_argument("--title", default="", help="credentials, such as MD")

    def handle(
        self, *args: Any, email: str, full_name: str, role: str, title: str, **options: Any
    ) -> None:
        try:
            invitation = services.invite_user(
                actor=User.system(), email=email, full_name=full_name, role=role, title=title
            )
        except AccountError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(invitation.link)
