"""Endpoints of the house: systems that carry out letters, chats and whatever else, each told by signed webhooks."""
