"""The score of one identity, its numbers, and how well it is founded."""
