"""What people and systems may ask scoring, one file per subject."""
