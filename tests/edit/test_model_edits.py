"""Edits by a model: what they keep, what they owe to seed and strength, and what they refuse."""

from dataclasses import replace

import pytest
import torch
from walkers import walker

from gaussiandiffusion import edit
from gaussiandiffusion.edit.interpolation import slerp
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.representation.interpolation import between


@pytest.fixture(scope="module")
def pipe():
    return GaussianDiffusion.from_pretrained("mnist")


@pytest.fixture(scope="module")
def digits(pipe):
    """Ten digits and their labels."""
    out = pipe(num_samples=10, seed=3)
    return out.splats, out.labels


@pytest.fixture(scope="module")
def small():
    """A small model that hears all that is asked, and sets of it."""
    model = walker()
    latents = torch.randn(5, *model.representation.latent_shape, generator=torch.Generator().manual_seed(1))
    return model, model.representation.from_latent(latents)


def equal(one, other):
    return all(torch.equal(value, other.tensors()[name]) for name, value in one.tensors().items())


def change(sets, others):
    return sum((value - others.tensors()[name]).abs().mean().item() for name, value in sets.tensors().items())


def test_pictures_change_more_the_more_noise_they_go_through(pipe, digits):
    sets, labels = digits
    before = pipe.representation.draw(sets)
    mean = [
        (edit.vary(pipe, sets, strength, class_labels=labels).images - before).abs().mean().item()
        for strength in (0, 0.1, 0.3, 0.6, 1)
    ]
    assert mean == sorted(mean)
    assert mean[0] == 0
    assert 0 < mean[1] < mean[-1]


def test_variations_depend_on_seed_and_number_alone(small):
    pipe, sets = small
    many = edit.vary(pipe, sets[[0] * 11], 0.5, seed=4)
    few = edit.vary(pipe, sets[[0] * 3], 0.5, seed=4)
    assert equal(many.splats[:3], few.splats)
    assert torch.equal(many.images[:3], few.images)
    assert not equal(many.splats[0], many.splats[1])
    assert not equal(edit.vary(pipe, sets[[0] * 3], 0.5, seed=5).splats, few.splats)


def test_a_variation_of_all_noise_owes_the_sets_nothing_and_the_seed_of_samples_does_not_lead_back(small):
    pipe, sets = small
    asked = {"action": "walk"} | dict.fromkeys(("hair", "direction", "frame"))
    sample = pipe(num_samples=5, seed=9, conditions=asked).splats
    made = edit.vary(pipe, sets, 1.0, seed=9, conditions={"action": "walk"})
    assert equal(made.splats, edit.vary(pipe, sets.translate(0.1, 0), 1.0, seed=9, conditions=asked).splats)
    assert not equal(made.splats, sample)


def test_kept_splats_keep_every_bit_and_the_rest_is_new(pipe, digits):
    sets, labels = digits
    keep = edit.select(sets, "inside(-1,-1,1,0)")
    out = edit.inpaint(pipe, sets, keep, rounds=2, class_labels=labels, num_inference_steps=3)
    for name in ("means", "sigmas", "rhos", "colors"):
        old, new = getattr(sets, name), getattr(out.splats, name)
        assert torch.equal(old[keep], new[keep])
        assert not (old[~keep] == new[~keep]).all()
    assert torch.equal(out.images, pipe.representation.draw(out.splats))
    mask = torch.zeros(14, 14, dtype=torch.bool)
    mask[:7] = True  # the same half as pixels
    again = edit.inpaint(pipe, sets, mask, rounds=2, class_labels=labels, num_inference_steps=3)
    assert equal(again.splats, out.splats)


def test_what_is_inpainted_depends_on_seed_and_number_alone(small):
    pipe, sets = small
    keep = torch.tensor([True, True, False, False, False, True])
    many = edit.inpaint(pipe, sets[[0] * 11], keep.expand(11, -1), seed=2)
    few = edit.inpaint(pipe, sets[[0] * 2], keep.expand(2, -1), seed=2)
    assert equal(many.splats[:2], few.splats)
    assert not equal(many.splats[0], many.splats[9])
    mended = edit.inpaint(pipe, sets, keep.expand(5, -1), until=0.9)
    assert not torch.equal(mended.splats.means[:, :2], sets.means[:, :2])


def test_what_draws_nothing_is_completed(pipe, digits):
    sets, labels = digits
    half = replace(sets, colors=torch.where((sets.means[..., 1:] < 0), sets.colors, 0.0))
    out = edit.complete(pipe, half, rounds=1, class_labels=labels, num_inference_steps=2)
    kept = half.colors[..., 0] >= 0.05
    assert torch.equal(out.splats.means[kept], half.means[kept])
    assert out.images[:, :, 16:].mean() > 2 * pipe.representation.draw(half)[:, :, 16:].mean()


def test_sets_led_to_their_noise_come_back_and_show_something_else_when_asked(pipe, digits):
    sets, labels = digits
    own = {"class_labels": labels}
    back = edit.transfer(pipe, sets, own=own, class_labels=labels, guidance_scale=1.0)
    error = (back.images - pipe.representation.draw(sets)).square().mean((1, 2, 3))
    assert error.median() < 1e-3  # 30 dB
    other = edit.transfer(pipe, sets, own=own, class_labels=7)
    assert (other.images - back.images).abs().mean() > 0.03


def test_interpolations_begin_and_end_at_their_ends(pipe, digits):
    sets, _ = digits
    through = edit.interpolate(pipe, [sets[2], sets[7]], 5, through="sets")
    torch.testing.assert_close(through.splats.means[0], sets.means[2], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(through.splats.means[-1], sets.means[7], atol=1e-5, rtol=1e-5)
    assert equal(edit.interpolate(None, [sets[2], sets[7]], 5).splats, through.splats)
    half = between(sets[2], sets[7], torch.tensor([0.5]))
    torch.testing.assert_close(through.splats.means[2:3], half.means)
    seeds = edit.interpolate(pipe, [1, 2], 5, loop=True, class_labels=3)
    assert equal(seeds.splats[0], pipe(class_labels=3, seed=1).splats)
    assert equal(seeds.splats[0], seeds.splats[4])
    assert equal(seeds.splats[2], pipe(class_labels=3, seed=2).splats)


def test_between_noises_it_goes_along_a_great_circle():
    one, other = torch.randn(2, 1, 40_000)
    other = other / other.norm() * one.norm()
    half = slerp(one, other, torch.tensor([0.5]))
    torch.testing.assert_close(half.norm(), one.norm())
    torch.testing.assert_close(slerp(one, one, torch.tensor([0.3])), one)


def test_a_picture_leads_samples_to_itself(pipe):
    picture = torch.zeros(1, 1, 28, 28)
    picture[..., 4:24, 12:16] = 1

    def distance(out):
        return (out.images - picture).square().mean().item()

    plain = pipe(num_samples=4, class_labels=1, seed=2)
    led = edit.guide(pipe, edit.Target(picture, 2.0), 4, seed=2, class_labels=1)
    assert distance(led) < 0.7 * distance(plain)
    upper = torch.zeros(28, 28, dtype=torch.bool)
    upper[:14] = True
    half = edit.guide(pipe, edit.Target(picture, 2.0, upper), 4, seed=2, class_labels=1)
    assert not torch.equal(half.images, led.images)
    varied = edit.vary(pipe, led.splats, 0.4, target=edit.Target(picture, 2.0))
    assert distance(varied) < distance(edit.vary(pipe, led.splats, 0.4))


def test_sets_that_are_not_in_the_models_slots_are_told_and_can_be_encoded_anew(pipe, digits):
    sets, _ = digits
    shuffled = sets.select(torch.randperm(24, generator=torch.Generator().manual_seed(0)))
    with pytest.raises(InputError, match=r"the splats of set 0 are not in the model's slots, .*--encode"):
        edit.vary(pipe, shuffled)
    anew = edit.encoded_anew(pipe, shuffled)
    assert (pipe.representation.draw(anew) - pipe.representation.draw(sets)).abs().mean() < 0.02
    edit.vary(pipe, anew, 0.1)
    assert edit.encoded_anew(pipe, pipe(num_samples=1).images.mul(255).byte().numpy()).num_splats == 24


def test_sets_that_were_moved_far_are_refused_before_they_fall_apart(pipe, digits):
    sets, labels = digits
    turned = sets.rotate(35, about=(0.0, 0.0))
    with pytest.raises(InputError, match=r"not in the model's slots, or were moved far; .*--encode"):
        edit.vary(pipe, turned)
    anew = edit.encoded_anew(pipe, turned)
    assert edit.vary(pipe, anew, 0.2, class_labels=labels).images.isfinite().all()


def broken(sets, **changes):
    return replace(sets, **{name: change(getattr(sets, name)) for name, change in changes.items()})


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda sets: broken(sets, means=lambda x: x * torch.nan), "means of set 0 hold NaN"),
        (lambda sets: sets.select(range(20)), "have 20 splats each, the model's sets 24"),
        (lambda sets: replace(sets, canvas=sets.canvas.resized(32)), "canvas of 32x32, the model's is 28x28"),
        (lambda sets: broken(sets, colors=lambda x: x - 1), "colours below 0"),
        (lambda sets: replace(sets, blending="alpha"), "drawn otherwise"),
        (lambda sets: sets[:0], "no set among them"),
    ],
)
def test_other_sets_are_refused(pipe, digits, spoil, sentence):
    with pytest.raises(InputError, match=sentence):
        edit.vary(pipe, spoil(digits[0]))


def test_what_no_edit_can_do_is_refused(pipe, digits, small):
    sets, _ = digits
    everything = torch.ones_like(sets.rhos, dtype=torch.bool)
    refused = [
        (lambda: edit.vary(pipe, sets, 1.5), "strength must lie between 0 and 1"),
        (lambda: edit.vary(pipe, sets, float("nan")), "strength must lie between 0 and 1"),
        (lambda: edit.vary(small[0], sets), "grey sets, and the model makes RGB"),
        (lambda: edit.vary(walker(pixels=True), sets), "generates pixels"),
        (lambda: edit.inpaint(pipe, sets, everything), "keeps everything of set 0"),
        (lambda: edit.inpaint(pipe, sets, ~everything), "keeps nothing of set 0"),
        (lambda: edit.inpaint(pipe, sets, everything[:, :1], rounds=1), "not of the shape of the canvas"),
        (lambda: edit.interpolate(pipe, [1]), "two ends"),
        (lambda: edit.interpolate(pipe, [1, 2], 1), "frames must be >= 2"),
        (lambda: edit.interpolate(pipe, [sets, 2]), "an end is one set, not 10"),
        (lambda: edit.interpolate(None, [1, 2]), "need a model"),
        (lambda: edit.guide(pipe, edit.Target(torch.zeros(1, 1, 8, 8))), "one picture of 28x28 pixels"),
        (lambda: edit.guide(pipe, edit.Target(torch.zeros(1, 1, 28, 28), 0.0)), "pull must lie"),
        (lambda: edit.vary(pipe, sets, class_labels=11), "unknown class '11'"),
    ]
    for call, sentence in refused:
        with pytest.raises(InputError, match=sentence):
            call()
