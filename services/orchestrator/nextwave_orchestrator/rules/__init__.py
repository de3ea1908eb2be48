"""Rules: a typed JSON tree over profile and history; checked when saved, compiled once, explained leaf by leaf."""
