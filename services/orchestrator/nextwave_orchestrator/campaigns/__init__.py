"""Campaigns: their definition as written by owners, its checks, and the compiled catalogue that the fold reads."""
