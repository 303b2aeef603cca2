"""What to change first: proposals, their proof and their commands."""
