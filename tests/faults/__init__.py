"""Faults brought about for real: killed workers, a broker emptied or away, damaged files."""
