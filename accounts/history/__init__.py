"""Row history: what changed in the database, whoever changed it, seen by triggers."""
