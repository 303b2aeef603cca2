"""Figures, never asserted: each module prints them with ratios against a baseline of the same run."""
