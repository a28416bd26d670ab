"""Patients, cases, smear images, classification and review."""
