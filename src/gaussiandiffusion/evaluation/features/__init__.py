"""Feature networks: what turns images into the vectors that measures compare, and how ours are trained."""
