"""What a program sends: posts under a key, files, a patient and a case."""

import uuid
from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from classifier.models import Patient

JOHN = {
    "mrn": "MRN00777",
    "mrn_issuer": "HVLAB",
    "family_name": "Roe",
    "given_name": "John",
    "birth_date": "1971-03-04",
    "sex": "male",
}


def post(client: Client, path: str, body: Any = None, key: str = "", **headers: str) -> Any:
    """Send JSON under a new key, or the one given."""
    return client.post(
        f"/api/v1/{path}",
        {} if body is None else body,
        content_type="application/json",
        headers={"Idempotency-Key": key or str(uuid.uuid4()), **headers},
    )


def send_file(
    client: Client, path: str, data: bytes, name: str = "cell.png", key: str = "", **parts: str
) -> Any:
    """Send a file as a form."""
    return client.post(
        f"/api/v1/{path}",
        {"file": SimpleUploadedFile(name, data), **parts},
        headers={"Idempotency-Key": key or str(uuid.uuid4())},
    )


def new_case(patient: Patient, **changes: Any) -> dict[str, Any]:
    received = timezone.now() - timedelta(hours=1)
    return {
        "patient": str(patient.pk),
        "priority": "urgent",
        "specimen": {
            "collected_at": (received - timedelta(hours=1)).isoformat(),
            "received_at": received.isoformat(),
        },
        "white_count": {"value": "7.20", "measured_at": received.isoformat()},
    } | changes
