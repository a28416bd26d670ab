"""Administration pages, joining, and keeping a session alive."""
