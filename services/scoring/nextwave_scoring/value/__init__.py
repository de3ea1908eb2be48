"""What a customer is worth: the value expected if all stays as it is, what more there could be, and the cell that follows."""
