"""Print the JSON Schema of exported reports."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from reports.schema import content_schema


class Command(BaseCommand):
    """Print the schema, as it is kept in reports/schemas."""

    help = "Print the JSON Schema (2020-12) of reports exported as JSON."

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(json.dumps(content_schema(), indent=2, ensure_ascii=False))
