"""Headroom: how much more AWS access every identity has than it uses."""
