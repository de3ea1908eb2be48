"""How likely a customer is not to come back, why, and when that would change by silence alone."""
