"""What was rejected: listed, looked at, and sent on its way again after a fix."""
