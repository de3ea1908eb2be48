"""On-site invitations: an open page listens, comes for what is due to its visitor, shows it and says what became of it."""
