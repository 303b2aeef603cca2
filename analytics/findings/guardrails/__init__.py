"""The matrix of scenarios, targets and layers."""
