"""How fast networks learn."""
