"""Signed anchors of the audit trail: what an owner of the database can't write anew."""
