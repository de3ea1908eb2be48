"""Learning from history: how good the baseline is on one's own customers, and models to take its place. No service needs it."""
