"""Weights: how the score is made, what the archetypes get, and how firm the order is when weights move."""

from __future__ import annotations

from app_pages.shared import shell

build = shell.header("Weights", "How the score is made, and how firm the order is when weights move.")
