"""The training step's attention: the same values and gradients as PyTorch's own choice."""

import torch
from torch.nn.functional import scaled_dot_product_attention

from gaussiandiffusion.training.attention import training_attention

CPU = torch.device("cpu")


def gradients(dtype):
    generator = torch.Generator().manual_seed(0)
    inputs = [torch.randn(3, 2, 9, 8, generator=generator).to(dtype).requires_grad_() for _ in range(3)]
    out = scaled_dot_product_attention(*inputs)
    return out, *torch.autograd.grad(out.float().square().sum(), inputs)


def test_values_and_gradients_are_those_of_the_fused_kernel():
    for dtype, tolerance in ((torch.float32, 1e-5), (torch.bfloat16, 0.05)):
        fused = gradients(dtype)
        with training_attention(CPU):
            plain = gradients(dtype)
        for ours, theirs in zip(plain, fused, strict=True):
            assert ours.dtype == dtype
            torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)


def test_the_choice_ends_with_the_step():
    before = torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed()
    with training_attention(CPU):
        assert torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed()
        assert not torch.backends.cuda.flash_sdp_enabled()
    assert torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed() == before
    assert torch.backends.cuda.flash_sdp_enabled()
