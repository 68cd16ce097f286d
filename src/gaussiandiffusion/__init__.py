"""Image generation in the space of 2D Gaussians."""
