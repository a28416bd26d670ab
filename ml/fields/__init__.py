"""Fields of one smear: which of them overlap, and which white cells they show twice."""
