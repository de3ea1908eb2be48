"""What customers ask for in their own words: to stop, to go on, for help; and what may be a refusal. Words are data, hearing is pure."""
