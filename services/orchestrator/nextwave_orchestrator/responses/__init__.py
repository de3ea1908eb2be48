"""What is learned from outcomes: how likely an answer is, by segment, channel and hour, and how sure that is."""
