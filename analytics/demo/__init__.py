"""The sample organisation: a made-up company, its permissions, and 120 days of what its identities did."""
