"""The suppression list: who must not be contacted about what, and which addresses take nothing; kept as keyed hashes only."""
