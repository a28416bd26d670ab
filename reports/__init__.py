"""Signed reports: content, documents, sign-off and amendment."""
