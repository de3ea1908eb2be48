"""Every source's door: what comes in is checked, named, and acknowledged only once Kafka has it."""
