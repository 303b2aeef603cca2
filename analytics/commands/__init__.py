"""The commands of `python -m analytics`, one module per group; `analytics/cli.py` registers them."""
