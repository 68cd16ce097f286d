"""Edits by a model, measured."""
