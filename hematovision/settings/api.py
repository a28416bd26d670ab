"""The public API: tokens, limits, and its description."""

from datetime import timedelta

from hematovision.settings import environment as e

API_TOKEN_MAX_LIFE = timedelta(days=e.API_TOKEN_MAX_DAYS)
# For each token and scope; pages of a list and cells of a case are many, changes are few.
API_REQUESTS_PER_MINUTE = {
    "read": e.API_READS_PER_MINUTE,
    "write": e.API_WRITES_PER_MINUTE,
}
API_MAX_JSON_BYTES = 1024 * 1024
API_MAX_ARCHIVE_BYTES = 256 * 1024 * 1024
API_MAX_ARCHIVE_FILES = 500
API_MAX_ARCHIVE_CONTENT_BYTES = 512 * 1024 * 1024
# A stream of events holds one of a web process' eight threads; three of them at most.
API_STREAMS = 3 * e.WEB_WORKERS
API_STREAMS_PER_OWNER = 2
API_STREAM_SECONDS = 300.0
API_STREAM_HEARTBEAT_SECONDS = 5.0
API_STREAM_LOOK_SECONDS = 1.0
API_WAIT_SECONDS = 30

_ABOUT = """\
Patients, cases, images, results, corrections and reports of one laboratory, for scripts and for
other systems. Every request shows a token (`Authorization: Bearer hv_…`) that its owner made on
the page "API tokens"; it acts in its owner's name, within its scopes and its owner's duties.

Refusals are problems (RFC 9457) and change nothing. A POST carries an `Idempotency-Key`, so that
it can be sent again after a lost answer. Moments carry an offset; decimals are strings.

A token signs no report: a signature takes its signer's password, on the signing page.
"""
SPECTACULAR_SETTINGS = {
    "TITLE": "HematoVision API",
    "VERSION": "1.0.0",
    "DESCRIPTION": _ABOUT,
    "LICENSE": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    "OAS_VERSION": "3.1.1",
    "SERVERS": [{"url": "/"}],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "PREPROCESSING_HOOKS": ["api.describing.only_version_1"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "api.describing.complete",
    ],
    "AUTHENTICATION_WHITELIST": ["api.authentication.TokenAuthentication"],
    "COMPONENT_SPLIT_REQUEST": False,
    "ENFORCE_NON_BLANK_FIELDS": True,
    "ENUM_NAME_OVERRIDES": {
        "CaseStatusEnum": "classifier.enums.CaseStatus",
        "RunStatusEnum": "classifier.enums.RunStatus",
        "ReportStatusEnum": "reports.enums.ReportStatus",
        "CellTypeEnum": "classifier.enums.CellType",
        "ImageKindEnum": "classifier.enums.ImageKind",
        "SlideStatusEnum": "classifier.enums.SlideStatus",
        "ExplanationMethodEnum": "classifier.enums.ExplanationMethod",
        "ExplanationStatusEnum": "classifier.enums.ExplanationStatus",
        "ReferralStateEnum": "consultation.enums.ReferralState",
        "FlagEnum": "api.shapes.results.FLAGS",
        "MaybeCellTypeEnum": "api.shapes.results.CELL_TYPES",
    },
}
