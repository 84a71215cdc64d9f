"""English: its words and its grammar."""
