"""The real things on one machine: Kafka, PostgreSQL, the services, provider simulators, and the demo."""
