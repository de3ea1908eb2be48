"""What campaigns cost and bring: facts booked as they happen, and reports that add them up and say what each number means."""
