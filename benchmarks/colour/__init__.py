"""Generated colour pictures of ours and of pixel baselines."""
