"""HematoVision: project wiring (settings, URLs, task queue, processes)."""

from hematovision.celery import app as celery_app

__all__ = ["celery_app"]
