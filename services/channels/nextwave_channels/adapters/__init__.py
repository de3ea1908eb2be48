"""One file per channel's way out."""
