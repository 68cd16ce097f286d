"""The whole report, on sets whose distances are known."""

import json
from dataclasses import replace

import numpy as np
import pytest
from torch import nn

from gaussiandiffusion.evaluation import evaluate, load_features
from gaussiandiffusion.ground.errors import InputError

UNIT_STEP = 4 * (128 / 255) ** 2  # four pixels, each moved by 128 of 255


def test_the_same_images_on_both_sides_are_refused_in_any_order(pixel_space, noise_set):
    real = noise_set(50, seed=1)
    for generated in (real, replace(real, name="copies"), real[::-1]):
        with pytest.raises(InputError, match="generated and real are the same images"):
            evaluate(generated, real, features=pixel_space)
    with pytest.raises(InputError, match="train and real are the same images"):
        evaluate(noise_set(50, seed=2), real, features=pixel_space, floor_train=real)


def test_without_floors_nothing_is_said_of_them(pixel_space, noise_set):
    report = evaluate(noise_set(50, seed=2), noise_set(50, seed=1), features=pixel_space)
    assert report.floor_train is report.floor_rendered is report.kid_train is None
    assert report.precision_recall_train is report.memorisation is None
    assert report.inception_score is report.inception_score_real is None  # pixels name no classes


def test_floors_stand_beside_the_distance(pixel_space, noise_set):
    real = noise_set(4000, seed=1, high=128)
    generated = noise_set(4000, seed=2, low=128, split=None)
    train = noise_set(4000, seed=3, high=128, split="train")
    report = evaluate(
        generated,
        real,
        features=pixel_space,
        floor_train=train,
        floor_rendered=lambda images: images + 1,
        seed=7,
    )
    assert report.fid == pytest.approx(UNIT_STEP, rel=0.03)
    assert report.floor_train < 0.01
    assert report.floor_rendered == pytest.approx(4 / 255**2, rel=0.01)
    assert report.seed == 7
    assert report.kid.mean > 100 * abs(report.kid_train.mean)
    assert report.precision_recall.precision < 0.1
    assert report.precision_recall_train.precision > 0.7
    assert report.memorisation.median > report.memorisation.median_real
    assert report.memorisation.share_near == 0
    assert report.memorisation.train_images == 4000


def test_rendered_images_may_be_given_or_made(pixel_space, noise_set):
    generated, real = noise_set(60, seed=2), noise_set(60, seed=1)
    made = evaluate(generated, real, features=pixel_space, num=40, floor_rendered=lambda images: images // 2)
    given = evaluate(generated, real, features=pixel_space, num=40, floor_rendered=real.spread(40).images // 2)
    assert made == given


def test_num_takes_the_first_samples_and_real_images_from_all_over(pixel_space, noise_set):
    real, generated = noise_set(60, seed=1), noise_set(80, seed=2)
    some = evaluate(generated, real, features=pixel_space, num=30)
    same = evaluate(generated[:30], real[::2], features=pixel_space)
    assert some.fid == same.fid
    assert (some.generated.images, some.generated.available) == (30, 80)
    assert some.generated.sha256 == same.generated.sha256 == generated[:30].sha256


def test_labels_are_judged(pixel_space, noise_set):
    generated, real = noise_set(40, seed=1, low=200), noise_set(40, seed=2, high=100)
    asked = np.ones(40, dtype=np.int64)
    asked[:10] = 0
    report = evaluate(generated, real, features=pixel_space, labels=asked)
    assert (report.label_accuracy, report.label_accuracy_real) == (0.75, 1.0)
    assert report.judge == report.features
    own = evaluate(generated, real, features=pixel_space, judge=replace(pixel_space, name="judge"))
    assert own.label_accuracy == 1.0
    assert own.judge.name == "judge"


def test_without_labels_nothing_is_judged(pixel_space, noise_set):
    unlabelled = replace(noise_set(40, seed=1), conditions=None)
    report = evaluate(unlabelled, noise_set(40, seed=2), features=pixel_space)
    assert report.label_accuracy is report.label_accuracy_real is report.judge is None


def test_the_report_is_json_and_repeats(pixel_space, noise_set, tmp_path):
    generated, real = noise_set(40, seed=1, split=None), noise_set(40, seed=2)
    reports = [evaluate(generated, real, features=pixel_space, floor_train=noise_set(60, seed=3)) for _ in range(2)]
    assert reports[0] == reports[1]
    reports[0].save(tmp_path / "report.json")
    written = json.loads((tmp_path / "report.json").read_text())
    assert written == reports[0].to_dict()
    assert written["real"] == {
        "name": "noise-2",
        "split": "test",
        "images": 40,
        "available": 40,
        "sha256": real.sha256,
    }
    assert written["features"]["dimension"] == 4
    assert {"torch", "numpy", "torchmetrics", "python"} <= set(written["versions"])
    assert set(written["machine"]) == {"processor", "vectors", "cpus", "threads"}


@pytest.fixture
def digits(noise_set):
    """Makes sets of 256 noisy 28x28 images, which the bundled network takes."""

    def make(seed: int, split: str | None = None):
        pixels = np.random.default_rng(seed).integers(0, 256, (256, 1, 28, 28), dtype=np.uint8)
        return replace(noise_set(256, seed=seed, split=split), images=pixels)

    return make


def test_a_bundled_name_is_enough(digits):
    report = evaluate(digits(0), digits(1), features="mnist")
    assert report.features.name == "mnist"
    assert 1 <= report.inception_score <= 10
    own = evaluate(digits(0), digits(1), features="mnist", judge="mnist")
    assert own.label_accuracy == report.label_accuracy  # from the features, or by classifying once more


def test_features_of_a_set_are_extracted_once(digits):
    space = load_features("mnist")
    seen = []
    hook = space.network.register_forward_hook(lambda _, inputs, __: seen.append(len(inputs[0])))
    evaluate(digits(0), digits(1), features=space, floor_train=digits(2), floor_rendered=lambda images: images // 2)
    hook.remove()
    assert sum(seen) == 4 * 256


def test_progress_is_told_before_each_part(pixel_space, noise_set):
    parts = []
    evaluate(noise_set(40, seed=1), noise_set(40, seed=2), features=pixel_space, progress=parts.append)
    assert parts == ["features", "rendering", "memorisation", "distances"]


def test_another_size_or_number_of_channels_is_refused(pixel_space, noise_set):
    generated, real = noise_set(40, seed=1), noise_set(40, seed=2)
    wide = replace(generated, images=np.zeros((40, 1, 2, 3), dtype=np.uint8))
    coloured = replace(generated, images=np.zeros((40, 3, 2, 2), dtype=np.uint8))
    for images, kind in ((wide, "3x2 pixels of 1 channel,"), (coloured, "2x2 pixels of 3 channels,")):
        with pytest.raises(InputError, match=f"generated images .* are {kind}"):
            evaluate(images, real, features=pixel_space)
        with pytest.raises(InputError, match=f"train images .* are {kind}"):
            evaluate(generated, real, features=pixel_space, floor_train=images)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"num": None}, "40 generated images against 50 real"),
        ({"num": 41}, "the generated side"),
        ({"num": 51}, "the generated side"),
        ({"num": 7}, "give at least 8"),
        ({"floor_train": "few"}, "floor F needs 40 train images"),
        ({"floor_rendered": np.zeros((39, 1, 2, 2), dtype=np.uint8)}, "floor R needs the 40"),
        ({"floor_rendered": np.zeros((40, 1, 2, 2), dtype=np.float32)}, "uint8"),
        ({"labels": np.zeros(39, dtype=np.int64)}, "39 labels"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_bad_input_is_refused(pixel_space, noise_set, change, complaint):
    if change.get("floor_train") == "few":
        change = {"floor_train": noise_set(39, seed=3)}
    with pytest.raises(InputError, match=complaint):
        evaluate(noise_set(40, seed=1), noise_set(50, seed=2), **{"features": pixel_space, "num": 40} | change)


def test_a_judge_that_cannot_name_classes_is_refused(pixel_space, noise_set):
    class Mute(nn.Module):
        num_features = 4

    with pytest.raises(InputError, match="give a classifier"):
        evaluate(
            noise_set(40, seed=1),
            noise_set(40, seed=2),
            features=pixel_space,
            judge=replace(pixel_space, network=Mute()),
        )
