"""Callbacks of providers: each is verified over what was sent, read into evidence, and taken in once."""
