"""Visits as tasks: account managers look, claim, and say what came of it."""
