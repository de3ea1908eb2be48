"""The world outside on one machine: an SMS and voice provider, a mail server, and the people behind the addresses."""
