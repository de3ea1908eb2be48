"""Rules taken over from JsonLogic (jsonlogic.com)."""
