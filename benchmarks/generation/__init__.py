"""Generated digits of our models and of the baselines."""
