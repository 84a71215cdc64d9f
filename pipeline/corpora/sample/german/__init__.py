"""German: its words and its grammar."""
