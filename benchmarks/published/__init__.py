"""Ours beside the published encoders."""
