"""Permissions boundaries: who has which, who should, and templates for them."""
