"""What comes in: CloudTrail files, the snapshot of IAM and Organizations, and their resolution to IAM's names."""
