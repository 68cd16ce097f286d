"""The search for the encoder's settings."""
