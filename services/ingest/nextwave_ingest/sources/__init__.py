"""What each source sent: counted by every replica, told by any of them."""
