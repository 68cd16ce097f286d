"""The command line: one verb per capability; see `main`."""

from gaussiandiffusion.cli.main import main

__all__ = ["main"]
