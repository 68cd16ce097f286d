"""The fused kernel on the CPU: `accumulate`, and the compiled parts that the encoder is made of too."""
