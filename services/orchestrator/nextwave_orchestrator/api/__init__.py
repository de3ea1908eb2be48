"""The campaign owner's and the agent's API, one file per subject."""
