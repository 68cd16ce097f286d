"""The encoder's speed and quality."""
