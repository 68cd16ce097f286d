"""Many splat files as one: byte for byte what saving all sets at once writes."""

import pytest
import torch

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import Splats
from gaussiandiffusion.splats.merge import merge


@pytest.mark.parametrize("extras", [{}, {"labels": True, "opacities": True}])
def test_merging_is_saving_all(tmp_path, make_splats, extras):
    more = {}
    parts = [make_splats(n=n, k=5, seed=n) for n in (3, 1, 4)]
    if extras:
        parts = [make_splats(n=n, k=5, seed=n, opacities=torch.rand(n, 5)) for n in (3, 1, 4)]
        more = {"labels": True}
    paths, labels, psnr = [], torch.arange(8), torch.linspace(20, 40, 8)
    for i, (part, start) in enumerate(zip(parts, (0, 3, 4), strict=True)):
        own = slice(start, start + len(part))
        paths.append(tmp_path / f"{i}.safetensors")
        part.save(
            paths[-1],
            labels=labels[own] if more else None,
            psnr=psnr[own],
            encoder={"start": "grid"},
            source={"name": f'part "{i}" ü'},
        )
    about = {"name": 'all "of" ü\\them', "num": 8}
    merge(paths, tmp_path / "merged.safetensors", about)
    Splats.cat(parts).save(
        tmp_path / "saved.safetensors",
        labels=labels if more else None,
        psnr=psnr,
        encoder={"start": "grid"},
        source=about,
    )
    assert (tmp_path / "merged.safetensors").read_bytes() == (tmp_path / "saved.safetensors").read_bytes()
    Splats.load(tmp_path / "merged.safetensors")


def test_an_unwritable_place_is_named(tmp_path, make_splats):
    make_splats().save(tmp_path / "a.safetensors")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        merge([tmp_path / "a.safetensors"], tmp_path / "file" / "b.safetensors", {})
