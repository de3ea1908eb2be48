"""How large a segment is, and who is in it, from a sample of customers: never by reading all of them."""
