"""Everything about a patient as one archive: which tables, and how it is written."""
