"""App configuration."""

from django.apps import AppConfig


class ClassifierConfig(AppConfig):
    """Configuration of the classifier app."""

    name = "classifier"
