"""What to say and do when a customer comes to us: one answer for the agent on the phone or in the chat, from one customer's state."""
