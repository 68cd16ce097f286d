"""The published system: its encoders and its drawing, so that ours are compared with what it does."""
