"""Tests of FHIR over the API."""
