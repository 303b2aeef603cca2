"""What follows from reach and use."""
