"""Where static files are collected: under names that tell their content, modules included."""

from django.contrib.staticfiles.storage import HashedFilesMixin
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """The product's modules import each other by hashed names, so that browsers keep them for good.

    Files of other packages are left as they are. Modules must not import each other in a circle:
    neither could be named after the other's content.
    """

    support_js_module_import_aggregation = True
    _js_module_import_aggregation_patterns = (
        "js/*.js",
        HashedFilesMixin._js_module_import_aggregation_patterns[1],  # type: ignore[attr-defined]
    )
    max_post_process_passes = 12
    """One more than the longest chain of modules that import each other."""
