"""How the bodies of foreign systems become touchpoints: documents instead of code."""
