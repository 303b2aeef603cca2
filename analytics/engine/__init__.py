"""AWS's policy evaluation: what a principal can do (reach) and what one request gets (decide). Pure functions."""
