"""Before and after: what a change leaves as it was."""
