"""A demonstration laboratory: people, patients and smears to try the product with."""
