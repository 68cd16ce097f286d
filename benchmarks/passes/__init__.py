"""Quality against passes of the network."""
