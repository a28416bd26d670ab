"""Who gets in where: one table for the whole site."""
