"""Who is contacted next, in which wave of which campaign, on which channel, or not at all, and why."""
