"""What the pages share: cached reads, widgets, charts, the grid, and the one way to print untrusted text."""
