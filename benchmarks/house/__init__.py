"""The picture of the package's rooms."""
