"""The renderer's speed."""
