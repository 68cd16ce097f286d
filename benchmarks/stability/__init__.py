"""Models on their way through training."""
