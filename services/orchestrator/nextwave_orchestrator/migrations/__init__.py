"""The orchestrator's database, revision by revision."""
