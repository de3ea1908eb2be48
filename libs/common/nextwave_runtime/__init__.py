"""The shell around the services' pure cores: processor, outbox, database, health, settings, problems, keys. Business-free."""
