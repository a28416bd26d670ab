"""Everything that changes what is exchanged."""
