"""The pages of the app: each asks one question, reads, and draws."""
