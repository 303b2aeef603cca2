"""IAM's own language: names, the action catalogue, policy documents, matching. Knows no other layer."""
