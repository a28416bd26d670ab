"""The software that read the cells: one Device for each release, known by its hash."""

from typing import Any

from reports.content import ReportContent, Software
from reports.fhir.source import ORGANIZATION_ID, SignedReport, system_of
from reports.fhir.values import Resource, concept, reference

CLASSIFIER = "Classifier of blood cells"
DETECTOR = "Detector of blood cells"


def software_of(content: ReportContent) -> tuple[tuple[Software, str], ...]:
    """Return each release that had a part in the report, and which part."""
    readers = [(item, CLASSIFIER) for item in content.reading.software]
    seen = content.fields.detectors if content.fields else ()
    return (*readers, *((item, DETECTOR) for item in seen))


def device_id(software: Software) -> str:
    """Return the id of a release: the hash of its weights."""
    return software.sha256


def device_reference(software: Software) -> dict[str, str]:
    """Return the reference to a release."""
    return reference("Device", device_id(software), f"{software.name} {software.version}")


def make_devices(signed: SignedReport) -> list[Resource]:
    """Return the releases that had a part in the report."""
    return [_device(signed, *item) for item in software_of(signed.content)]


def _device(signed: SignedReport, software: Software, purpose: str) -> Resource:
    return signed.start("Device", device_id(software)) | device_body(
        software, purpose, base=signed.base
    )


def device_body(software: Software, purpose: str, *, base: str) -> dict[str, Any]:
    """Return what a Device says beside its id."""
    return {
        "identifier": [{"system": system_of(base, "sha256"), "value": software.sha256}],
        "status": "active",
        "deviceName": [{"name": software.name, "type": "model-name"}],
        "type": concept(text=f"{purpose}; a human verified what it proposed"),
        "version": [{"value": software.version}],
        "owner": reference("Organization", ORGANIZATION_ID),
    }
