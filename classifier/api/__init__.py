"""JSON endpoints of the pages' scripts: uploads and review."""
