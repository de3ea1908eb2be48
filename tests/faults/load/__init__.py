"""What is posted while things break, and what became of each post."""
