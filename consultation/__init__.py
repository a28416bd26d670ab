"""Second opinions on a case, and the discussion of it."""
