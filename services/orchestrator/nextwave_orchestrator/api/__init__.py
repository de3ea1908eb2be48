"""The campaign owner's and the agent's HTTP interface."""
