"""The fault harness: does harm to a running stack under load, heals it, and checks from outside that every promise held."""
