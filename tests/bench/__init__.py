"""`make bench`: measures the ring against limits that are measured beside it. See `docs/performance.md`."""
