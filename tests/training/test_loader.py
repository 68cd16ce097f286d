"""The loader: order, prefetching, live encoding, and that no thread outlives it."""

import threading
import time

import numpy as np
import pytest
import torch

from gaussiandiffusion.data import load_images
from gaussiandiffusion.data.augment import augment
from gaussiandiffusion.data.augmentation import Augmentation
from gaussiandiffusion.diffusion import Objective
from gaussiandiffusion.ground.seeds import Stream, generator_for
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.latents import StoredLatents, load_training_set
from gaussiandiffusion.training.loader import batches, load_batches, prefetched
from gaussiandiffusion.training.loss import Draw, Dropout
from gaussiandiffusion.training.pictures import Pictures
from gaussiandiffusion.training.presets import with_settings

AUGMENT = {"flip": True, "shift": 1, "rotate": 5}
STILL = {"flip": False, "shift": 0, "rotate": 0}


@pytest.fixture(scope="module")
def config(stroke_file):
    return with_settings(
        TrainConfig(), data=str(stroke_file), splats=8, iterations=10, encode="live", augment=AUGMENT, seed=3
    )


@pytest.fixture(scope="module")
def live(config):
    return load_training_set(config, None)


def threads():
    return {thread for thread in threading.enumerate() if thread.name.startswith("prefetch")}


def test_batches_cover_each_epoch_once_and_start_anywhere():
    stream = batches(10, 3, seed=1)
    first = [next(stream) for _ in range(6)]  # two epochs of three
    assert [epoch for epoch, _ in first] == [0, 0, 0, 1, 1, 1]
    orders = [torch.cat([indices for epoch, indices in first if epoch == wanted]) for wanted in (0, 1)]
    assert all(len(set(order.tolist())) == 9 for order in orders)
    assert not torch.equal(*orders)
    for start in range(6):
        epoch, indices = next(batches(10, 3, seed=1, start=start))
        assert epoch == first[start][0]
        assert torch.equal(indices, first[start][1])


@pytest.mark.parametrize("depth", [0, 1, 5])
def test_prefetching_changes_nothing_but_the_time(depth):
    with prefetched(lambda x: x * x, range(7), depth) as stream:
        assert list(stream) == [x * x for x in range(7)]
    assert not threads()


def test_it_works_ahead_by_its_depth_and_no_further():
    done = []
    with prefetched(done.append, range(100), 2) as stream:
        next(stream)
        deadline = time.monotonic() + 5
        while len(done) < 3 and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(0.02)
        assert done == [0, 1, 2]


def test_an_error_is_raised_where_its_result_is_due_and_leaves_no_thread():
    def work(item):
        if item == 2:
            raise OSError("the source has gone")
        return item

    seen = []
    with pytest.raises(OSError, match="has gone"), prefetched(work, range(9)) as stream:
        seen.extend(stream)
    assert not threads()


def test_an_interruption_of_its_user_ends_its_thread():
    def interrupted():
        with prefetched(lambda x: x, range(9)) as stream:
            for _ in stream:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not threads()


def take(data, numbers, batch_size=16, start=0, config=None, **share):
    config = with_settings(config or TrainConfig(), batch_size=batch_size, seed=3)
    with load_batches(data, config, Objective(), start, **share) as stream:
        return [next(stream) for _ in range(numbers)]


def test_live_latents_do_not_depend_on_where_or_how_they_are_loaded(live):
    whole = take(live, 7)  # of three an epoch
    for start in (1, 4):
        for expected, got in zip(whole[start:], take(live, 7 - start, start=start), strict=True):
            assert torch.equal(expected.latents, got.latents)
            assert torch.equal(expected.conditions.values, got.conditions.values)
    single = torch.cat([batch.latents for batch in take(live, 48, batch_size=1)])
    assert torch.equal(single, torch.cat([batch.latents for batch in whole[:3]]))


def test_pictures_to_compare_with_are_those_that_the_latents_were_made_of(live, config, strokes):
    asked = with_settings(config, render_goal="images")
    (batch,) = take(live, 1, config=asked)
    ((epoch, indices),) = [next(batches(48, 16, seed=3))]
    expected = augment(strokes[indices.numpy()], Augmentation(**AUGMENT), 3, epoch, indices)
    assert torch.equal(batch.goals, torch.from_numpy(expected).float() / 255)
    assert torch.equal(batch.latents, live.representation.to_latent(expected))
    shares = [take(live, 1, config=asked, rank=rank, world=2)[0].goals for rank in (0, 1)]
    assert torch.equal(torch.stack(shares, 1).flatten(0, 1), batch.goals)
    assert take(live, 1)[0].goals is None


def test_colours_that_transparency_hides_are_not_compared():
    pixels = np.full((2, 4, 3, 3), 200, np.uint8)
    pixels[1, 3] = 0
    goals = Pictures(pixels, Augmentation(), seed=0).goals(0, torch.tensor([1, 0]))
    assert not goals[0].any()
    torch.testing.assert_close(goals[1, :3], torch.full((3, 3, 3), 157 / 255))  # 200 * 200 / 255
    torch.testing.assert_close(goals[1, 3], torch.full((3, 3), 200 / 255))


def test_what_is_kept_lies_on_the_device(stroke_file):
    config = with_settings(TrainConfig(), data=str(stroke_file), splats=8, iterations=5)
    data = load_training_set(config, None)
    device = torch.device("meta")  # an accelerator that computes nothing
    elsewhere = data.on(device)
    assert elsewhere.latents.values.device == elsewhere.conditions.values.device == device
    assert elsewhere.latents.take(0, torch.tensor([3, 1])).shape == (2, *data.representation.latent_shape)
    assert data.latents.values.device.type == "cpu"


def test_what_is_drawn_depends_on_seed_and_step_alone(live):
    wanted, *_ = take(live, 1, start=3)
    generator = generator_for(3, Stream.DRAW, 3, 0)
    again = Draw.of(tuple(wanted.latents.shape), Objective(), 1, Dropout(0.1, 0.1), generator)
    assert torch.equal(again.noise, wanted.draw.noise)
    assert torch.equal(again.timesteps, wanted.draw.timesteps)
    assert torch.equal(again.dropped, wanted.draw.dropped)


def test_processes_share_a_live_batch_without_overlap(live):
    (whole,) = take(live, 1)
    parts = [take(live, 1, rank=rank, world=3)[0] for rank in range(3)]
    assert torch.equal(whole.latents[1::3], parts[1].latents)
    assert torch.equal(whole.draw.noise[1::3], parts[1].draw.noise)
    assert torch.equal(whole.conditions.values[2::3], parts[2].conditions.values)
    assert sum(len(part.latents) for part in parts) == 16


def test_a_live_batch_is_the_augmented_images_and_their_labels(config, live):
    images = load_images(config.data.source)
    for (epoch, indices), batch in zip(batches(48, 16, 3), take(live, 5), strict=False):
        pixels = augment(images.images[indices.numpy()], Augmentation(**AUGMENT), 3, epoch, indices)
        assert not np.array_equal(pixels, images.images[indices.numpy()])
        representation = live.representation
        assert torch.equal(batch.latents, representation.to_latent(pixels))
        assert batch.conditions.labels.tolist() == images.labels[indices.numpy()].tolist()


def test_epochs_differ_by_augmentation_alone(config, live):
    everything = torch.arange(48)
    assert not torch.equal(live.latents.take(0, everything), live.latents.take(1, everything))
    still = load_training_set(with_settings(config, augment=STILL), None)
    assert torch.equal(still.latents.take(0, everything), still.latents.take(1, everything))


def test_without_augmentation_live_is_once(config):
    once = load_training_set(with_settings(config, encode="once", augment=STILL), None)
    still = load_training_set(with_settings(config, augment=STILL), None)
    assert isinstance(once.latents, StoredLatents)
    ours, theirs = still.representation.state_dict(), once.representation.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert still.psnr == once.psnr
    for a, b in zip(take(still, 4), take(once, 4), strict=True):
        assert torch.equal(a.latents, b.latents)
        assert torch.equal(a.conditions.values, b.conditions.values)


def test_statistics_come_from_a_sample_that_the_seed_decides(config, monkeypatch):
    from gaussiandiffusion.training import latents

    monkeypatch.setattr(latents, "STATISTICS_IMAGES", 20)
    means = [
        load_training_set(with_settings(config, seed=seed), None).representation.latent_transform.mean
        for seed in (3, 3, 4)
    ]
    assert torch.equal(means[0], means[1])
    assert not torch.equal(means[0], means[2])
    large = load_training_set(config, None)
    assert len(large) == 48
    assert large.latents.take(0, torch.tensor([47])).shape == (1, 8, 6)


def test_images_without_labels_train_without_classes(config, strokes, tmp_path):
    np.savez(tmp_path / "plain.npz", images=strokes)
    data = load_training_set(with_settings(config, data=str(tmp_path / "plain.npz")), None)
    assert not data.conditions.spec
    assert take(data, 1)[0].conditions.labels is None


def test_each_slots_training_noise_has_the_law_of_the_sampling_noise(live):
    """Sampling draws every slot's noise from N(0, 1), whatever the set will be."""
    batches = take(live, 90, batch_size=48)
    noise, latents = (torch.cat(parts) for parts in zip(*((b.draw.noise, b.latents) for b in batches), strict=True))
    count = len(noise)  # 4,320 sets
    assert noise.mean(0).abs().max() < 5 / count**0.5
    assert (noise.std(0) - 1).abs().max() < 5 / (2 * count) ** 0.5
    covariance = (noise * (latents - latents.mean(0))).mean(0) / latents.std(0).clamp_min(1e-6)
    assert covariance.abs().max() < 5 / count**0.5


def test_coupled_noise_is_the_same_noise_in_another_order_however_the_work_is_cut(live):
    config = with_settings(TrainConfig(), per_slot=False, coupling="optimal")
    plain, coupled = take(live, 3), take(live, 3, config=config)
    for before, after in zip(plain, coupled, strict=True):
        assert torch.equal(before.draw.timesteps, after.draw.timesteps)
        assert (after.latents - after.draw.noise).square().sum() < (before.latents - before.draw.noise).square().sum()
    (resumed,) = take(live, 1, start=2, config=with_settings(config, coupling="hybrid"))
    hybrid = take(live, 3, config=with_settings(config, coupling="hybrid"))[2]
    assert torch.equal(resumed.draw.noise, hybrid.draw.noise)
    share = take(live, 1, config=config, rank=1, world=3)[0]
    assert torch.equal(share.draw.noise, coupled[0].draw.noise[1::3])
