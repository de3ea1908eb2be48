"""The demo: half a year of a shop's clickstream through the whole ring in two minutes, counted from outside."""
