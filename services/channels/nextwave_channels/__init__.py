"""Contacts carried out once, by the rules, and what became of them."""
