"""Where the description of the API lies."""

from pathlib import Path

SCHEMA_FILE = Path(__file__).with_name("openapi.json")
