"""SSIM against another implementation."""

import torch

from gaussiandiffusion.published.ssim import ssim_map


def pictures():
    g = torch.Generator().manual_seed(0)
    one = torch.rand(3, 3, 20, 25, generator=g, dtype=torch.float64)
    return one, (one + 0.3 * torch.randn(one.shape, generator=g, dtype=torch.float64)).clamp(0, 1)


def test_inside_the_edges_it_is_torchmetrics():
    from torchmetrics.functional.image import structural_similarity_index_measure

    one, other = pictures()
    _, expected = structural_similarity_index_measure(
        other, one, data_range=1.0, reduction="none", return_full_image=True
    )
    inside = (..., slice(5, -5), slice(5, -5))  # at the edges torchmetrics mirrors, as no window of ours does
    torch.testing.assert_close(ssim_map(one, other)[inside], expected[inside].to(one), rtol=0, atol=1e-6)


def test_like_is_one_and_gradients_lead_there():
    one, other = pictures()
    torch.testing.assert_close(ssim_map(one, one), torch.ones_like(one))
    moving = other.clone().requires_grad_()
    before = ssim_map(one, moving).mean()
    (slope,) = torch.autograd.grad(before, moving)
    assert float(ssim_map(one, other + 5 * slope).mean()) > float(before.detach())
    small = one[:1, :1, :6, :7]
    assert torch.autograd.gradcheck(lambda x: ssim_map(small, x), other[:1, :1, :6, :7].clone().requires_grad_())
