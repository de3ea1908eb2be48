"""What lets a customer in besides events: dates of the profile, schedules, and rules that time alone makes true or false."""
