"""What the services say to each other: messages, topics, identifiers, reasons. Pure values, no I/O, nothing of ours imported."""
