"""The protocols that touchpoints come in by, one file each."""
