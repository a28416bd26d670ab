"""Whether the model in use is stopped, for whoever waits for it."""

from classifier.models import ModelHold


def open_hold() -> ModelHold | None:
    """Return the stop of the version in use, if it is stopped."""
    found = ModelHold.objects.filter(ended_at=None, model_version__is_active=True)
    return found.select_related("model_version").first()
