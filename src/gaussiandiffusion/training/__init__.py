"""Training: data, loss, loop, checkpoints; and the feature classifiers."""
