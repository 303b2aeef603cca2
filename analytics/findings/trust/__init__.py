"""Who can become an identity, and how exposed that makes it."""
