"""Splats: immutable batches, geometry, files."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import Canvas, Splats, storage


def close(a, b, atol=1e-5):
    return all(torch.allclose(x, b.tensors()[name], atol=atol) for name, x in a.tensors().items())


def test_precision_factors_are_the_inverse_covariance_and_lead_back(make_splats):
    splats = make_splats(dtype=torch.float64)
    a, b, d = splats.precision_factors.unbind(-1)
    factor = torch.stack([a, b, torch.zeros_like(a), d], -1).unflatten(-1, (2, 2))
    identity = factor.mT @ factor @ splats.covariances
    torch.testing.assert_close(identity, torch.eye(2, dtype=torch.float64).expand_as(identity))
    back = Splats.from_precision_factors(splats.means, splats.precision_factors, splats.colors, splats.canvas)
    assert close(back, splats, 1e-12)


def test_numpy_integers_choose_a_set_as_others_do(make_splats):
    splats = make_splats(n=3)
    for index in (np.int64(2), np.uint8(2), np.int32(-1)):
        assert close(splats[index], splats[2])
    assert close(splats[np.array([0, 2])], splats[[0, 2]])
    assert close(splats[torch.tensor([True, False, True])], splats[[0, 2]])
    with pytest.raises(IndexError, match="set 3 of 3"):
        splats[np.int64(3)]


def test_geometry_is_pure_and_undone_by_its_inverse(make_splats):
    splats = make_splats()
    before = [value.clone() for value in splats.tensors().values()]
    assert close(splats.translate(0.3, -0.2).translate(-0.3, 0.2), splats)
    assert close(splats.rotate(37).rotate(-37), splats)
    assert close(splats.scale(2.0).scale(0.5), splats)
    assert close(splats.scale((-1, 3)).scale((-1, 1 / 3)), splats)
    assert all(torch.equal(x, y) for x, y in zip(before, splats.tensors().values(), strict=True))
    with pytest.raises(dataclasses.FrozenInstanceError):
        splats.means = torch.zeros(1)
    with pytest.raises(InputError, match="scale factor of 0"):
        splats.scale(0)


def test_a_quarter_turn_is_clockwise_on_screen(make_splats):
    one = Splats(
        torch.tensor([[[1.0, 0.0]]]), torch.ones(1, 1, 2), torch.zeros(1, 1), torch.ones(1, 1, 1), Canvas(4, 4)
    )
    torch.testing.assert_close(one.rotate(90, about=(0, 0)).means, torch.tensor([[[0.0, 1.0]]]))  # y points down


def test_edits_keep_to_their_selection_and_its_centroid(make_splats):
    splats = make_splats()
    where = torch.zeros(2, 9, dtype=torch.bool)
    where[:, :4] = True
    turned = splats.rotate(50, where=where)
    assert torch.equal(turned.means[:, 4:], splats.means[:, 4:])
    assert torch.equal(turned.sigmas[:, 4:], splats.sigmas[:, 4:])
    assert not torch.allclose(turned.means[:, :4], splats.means[:, :4], atol=1e-2)
    torch.testing.assert_close(turned.means[:, :4].mean(1), splats.means[:, :4].mean(1))


def test_selecting_and_stacking(make_splats):
    splats = make_splats(n=3)
    assert close(Splats.cat([splats[0], splats[1:]]), splats)
    assert splats.select([3, 1]).num_splats == 2
    assert torch.equal(splats.select(torch.arange(9) < 2).means, splats.means[:, :2])
    assert [len(s) for s in splats] == [1, 1, 1]
    with pytest.raises(InputError, match="cannot be stacked"):
        Splats.cat([splats, make_splats(k=2)])


def test_shapes_must_belong_together():
    ok = {"means": torch.zeros(1, 2, 2), "sigmas": torch.ones(1, 2, 2), "rhos": torch.zeros(1, 2)}
    with pytest.raises(InputError, match=r"colors must have shape \(1, 2, 3\)"):
        Splats(**ok, colors=torch.zeros(1, 2, 1), canvas=Canvas(4, 4, 3))


def test_saving_and_loading_is_identity_and_equal_sets_give_equal_bytes(make_splats, tmp_path):
    splats = make_splats(channels=3, opacities=torch.rand(2, 9), output="soft")
    extra = {"labels": torch.tensor([4, 2]), "psnr": torch.tensor([30.0, 40.0]), "encoder": {"start": "grid"}}
    splats.save(tmp_path / "a.safetensors", **extra)
    splats.save(tmp_path / "b.safetensors", **extra)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    file = storage.load(tmp_path / "a.safetensors")
    assert close(file.splats, splats, 0)
    assert (file.splats.canvas, file.splats.output) == (splats.canvas, "soft")
    assert (file.labels.tolist(), file.psnr.tolist()) == ([4, 2], [30.0, 40.0])
    assert file.header.encoder == {"start": "grid"}


def test_bad_files_are_refused_by_name(make_splats, tmp_path):
    path = tmp_path / "x.safetensors"
    with pytest.raises(InputError, match="no such splat file"):
        Splats.load(path)
    make_splats().save(path)
    content = path.read_bytes()
    path.write_bytes(content[:-7])
    with pytest.raises(InputError, match=r"x\.safetensors: is not a readable safetensors file"):
        Splats.load(path)
    save_file({"means": torch.zeros(1, 2, 2)}, path)
    with pytest.raises(InputError, match="is not a splat file"):
        Splats.load(path)
    header = {"format_version": 9, "canvas": [4, 4, 1], "blending": "sum", "output": "clamp"}
    save_file({"means": torch.zeros(1, 2, 2)}, path, {storage.HEADER_KEY: json.dumps(header)})
    with pytest.raises(InputError, match="format version 9 is not supported"):
        Splats.load(path)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [("means", float("nan"), "hold NaN"), ("sigmas", 0.0, "sigmas must be > 0"), ("rhos", 1.0, "rhos must lie")],
)
def test_impossible_values_are_neither_written_nor_read(make_splats, tmp_path, name, value, complaint):
    splats = make_splats()
    bad = dataclasses.replace(splats, **{name: torch.full_like(getattr(splats, name), value)})
    with pytest.raises(InputError, match=complaint):
        bad.save(tmp_path / "bad.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_opacities_beyond_one_are_refused(make_splats):
    with pytest.raises(InputError, match=r"opacities must lie in \[0, 1\]"):
        make_splats(opacities=torch.full((2, 9), 1.5)).validate()


def test_a_place_that_cannot_be_written_is_named(make_splats, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        make_splats().save(tmp_path / "file" / "x.safetensors")
