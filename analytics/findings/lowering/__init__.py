"""Single changes that would lower a score."""
