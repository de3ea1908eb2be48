"""Calls that people make: how many may leave at once, to whom how often, and how diallers and agents come for them."""
