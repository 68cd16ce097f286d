"""What the network should see, and what it should learn."""
