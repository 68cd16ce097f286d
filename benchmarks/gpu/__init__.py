"""What a GPU does with our work: every figure beside the best that the device could do."""
