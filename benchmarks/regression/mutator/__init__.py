"""Damaged variants of files, drawn by a seed."""

from benchmarks.regression.mutator.files import damaged

__all__ = ["damaged"]
