"""Measures: what is computed from two sides of features, images or logits."""
