"""How long the laboratory keeps what, and how it is disposed of afterwards."""
