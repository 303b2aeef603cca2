"""The organisation node by node."""
