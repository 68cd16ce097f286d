"""SVGs of ours come back: to the bit as written, by their looks where they were edited, and no others."""

import re

import pytest
import torch

from gaussiandiffusion.cli.main import run
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.rendering import render, to_svg
from gaussiandiffusion.splats import Splats
from gaussiandiffusion.splats.formats import load_sets
from gaussiandiffusion.splats.storage import Header

SHAPE = re.compile(r"<g .*?</g>\n", re.DOTALL)


@pytest.fixture
def edited(make_splats, tmp_path):
    """`edited(change)`: a set, and what is read from its SVG after `change` of the text."""

    def edit(change, **kwargs):
        splats = make_splats(1, 5, channels=kwargs.pop("channels", 3), **kwargs)
        to_svg(splats, tmp_path / "x.svg")
        text = (tmp_path / "x.svg").read_text()
        changed = change(text)
        assert changed != text
        (tmp_path / "x.svg").write_text(changed)
        return splats, Splats.load(tmp_path / "x.svg")

    return edit


def first_shape(text):
    return SHAPE.search(text)[0]


@pytest.mark.parametrize("size", [None, 173])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("with_opacities", [False, True])
def test_what_is_written_is_read_to_the_bit(make_splats, tmp_path, channels, size, with_opacities):
    splats = make_splats(1, 40, channels=channels, background=torch.full((1, channels), 0.123))
    if with_opacities:
        splats = Splats(**splats.tensors() | {"opacities": torch.rand(1, 40)}, canvas=splats.canvas)
    splats.colors[0, 3] *= 5  # in layers
    splats.colors[0, 4] = 1e-4  # too dark to be seen
    splats.means[0, 6] = splats.means[0, 5]  # two of the same, one after the other
    to_svg(splats, tmp_path / "x.svg", size=size)
    read = Splats.load(tmp_path / "x.svg")
    assert (read.canvas, read.blending, read.output) == (splats.canvas, "sum", "clamp")
    assert read.tensors().keys() == splats.tensors().keys()
    assert all(torch.equal(read.tensors()[name], value) for name, value in splats.tensors().items())
    to_svg(read, tmp_path / "y.svg", size=size)
    assert (tmp_path / "x.svg").read_bytes() == (tmp_path / "y.svg").read_bytes()


def test_without_the_numbers_beside_them_shapes_are_read_by_their_looks(edited):
    splats, read = edited(lambda text: re.sub(r' data-splat="[^"]*"', "", text))
    # 0.0001 pixels of 8.5 a unit, and half a level of 8 bits for each of five splats
    assert (read.means - splats.means).abs().max() < 2e-5
    assert (read.colors - splats.colors).abs().max() <= 0.5 / 255 + 1e-6
    assert (render(read, 64) - render(splats, 64)).abs().max() < 5 * 0.5 / 255 + 1e-3


def test_a_moved_shape_is_where_it_looks_and_keeps_its_colour(edited):
    moved = lambda text: text.replace(first_shape(text), f'<g transform="translate(2 1)">{first_shape(text)}</g>\n')  # noqa: E731 (shorthand)
    splats, read = edited(moved)
    offset = torch.tensor([2.0, 1.0]) / splats.canvas.pixels_per_unit
    torch.testing.assert_close(read.means[0, 0], splats.means[0, 0] + offset, atol=2e-5, rtol=0)
    assert torch.equal(read.means[0, 1:], splats.means[0, 1:])
    assert torch.equal(read.colors, splats.colors)
    torch.testing.assert_close(read.sigmas, splats.sigmas, atol=2e-5, rtol=0)


def test_a_recoloured_shape_keeps_its_place_to_the_bit(edited):
    splats, read = edited(
        lambda text: text.replace(first_shape(text), re.sub("#[0-9a-f]{6}", "teal", first_shape(text)))
    )
    assert torch.equal(read.means, splats.means)
    torch.testing.assert_close(read.colors[0, 0], torch.tensor([0, 128, 128]) / 255)
    assert torch.equal(read.colors[0, 1:], splats.colors[0, 1:])


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        (lambda text: text.replace(first_shape(text), ""), [1, 2, 3, 4]),
        (lambda text: text.replace("<g transform", '<g style="display:none" transform', 1), [1, 2, 3, 4]),
        (lambda text: text.replace(first_shape(text), first_shape(text) * 2), [0, 0, 1, 2, 3, 4]),
        (
            lambda text: text.replace(first_shape(text), f'<g visibility="hidden">{first_shape(text)}</g>\n'),
            [1, 2, 3, 4],
        ),
        (lambda text: text.replace("<style>", "<!-- a word --><title>Three</title>\n<style> "), [0, 1, 2, 3, 4]),
        (lambda text: text.replace("#", "  #"), [0, 1, 2, 3, 4]),
    ],
)
def test_deleted_and_hidden_shapes_are_gone_and_copies_are_there(edited, change, kept):
    splats, read = edited(change)
    assert all(torch.equal(read.tensors()[name], value) for name, value in splats.select(kept).tensors().items())


def test_a_grey_set_with_a_coloured_shape_is_a_coloured_set(edited):
    splats, read = edited(
        lambda text: text.replace(first_shape(text), re.sub("#[0-9a-f]{6}", "#ff0000", first_shape(text))), channels=1
    )
    assert read.canvas.channels == 3
    assert read.colors[0, 0].tolist() == [1, 0, 0]
    assert torch.equal(read.colors[0, 1:], splats.colors[0, 1:].expand(-1, 3))


def test_another_page_is_another_canvas(edited):
    splats, read = edited(lambda text: text.replace('viewBox="0 0 17 12"', 'viewBox="0 -2 17 17"'))
    assert (read.canvas.height, read.canvas.width) == (17, 17)
    torch.testing.assert_close(read.means[0, :, 1], splats.means[0, :, 1] + (6 - 6.5) / 8.5, atol=2e-5, rtol=0)


def test_layers_taken_away_darken_and_encoders_hold_while_the_slots_do(make_splats, tmp_path):
    splats = make_splats(1, 3, channels=1)
    splats.colors[0, 1] = 2.5
    header = Header.of(splats, signed=False, encoder={"start": "template"}, source={"name": "mnist"})
    to_svg(splats, tmp_path / "x.svg", header=header)
    assert load_sets(tmp_path / "x.svg").header == header
    text = (tmp_path / "x.svg").read_text()
    shapes = SHAPE.findall(text)
    (tmp_path / "x.svg").write_text(text.replace("".join(shapes[1:4]), "".join(shapes[1:3])))
    assert float(load_sets(tmp_path / "x.svg").splats.colors[0, 1, 0]) == pytest.approx(2.5 * 2 / 3, abs=2 / 255)
    (tmp_path / "x.svg").write_text(text.replace(shapes[0], ""))
    file = load_sets(tmp_path / "x.svg")
    assert (file.header.encoder, file.header.source) == ({}, {"name": "mnist"})


def test_converted_to_svg_and_back_a_file_is_the_same(make_splats, tmp_path, capsys):
    make_splats(1, channels=3).save(tmp_path / "a.safetensors", encoder={"start": "hilbert"})
    for source, target in (("a.safetensors", "b.svg"), ("b.svg", "c.safetensors")):
        assert run(["convert", str(tmp_path / source), str(tmp_path / target)]) == 0
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "c.safetensors").read_bytes()
    (tmp_path / "b.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><path d='M0 0'/></svg>")
    assert run(["convert", str(tmp_path / "b.svg"), str(tmp_path / "d.safetensors")]) == 2
    error = capsys.readouterr().err
    assert "was not written by this package" in error
    assert error.count("\n") == 1


BOMB = '<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>\n<svg xmlns="http://www.w3.org/2000/svg">&b;</svg>'
OUTSIDE = '<!DOCTYPE svg SYSTEM "file:///etc/passwd">\n<svg xmlns="http://www.w3.org/2000/svg"/>'


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda _: BOMB, "has a document type"),
        (lambda _: OUTSIDE, "has a document type"),
        (lambda _: "", "is not readable XML"),
        (lambda text: text[: len(text) // 2], "is not readable XML"),
        (lambda _: "<html/>", "is no SVG"),
        (lambda text: re.sub("<metadata>.*</metadata>", "", text), "was not written by this package"),
        (lambda text: text.replace("</svg>", "<path d='M0 0'/></svg>"), "holds a <path>"),
        (lambda text: text.replace("</svg>", "<image href='http://x/y.png'/></svg>"), "holds a <image>"),
        (lambda text: text.replace("</svg>", "<rect width='3' height='3'/></svg>"), "a <rect> beside the background"),
        (lambda text: text.replace('<g transform="', '<g filter="url(#f)" transform="', 1), "filter"),
        (lambda text: text.replace('<g transform="', '<g style="stroke:red" transform="', 1), "stroke"),
        (lambda text: text.replace('<g transform="matrix(', '<g transform="warp(', 1), "no transform"),
        (lambda text: re.sub(r"matrix\([^)]*\)", "matrix(0 0 0 0 1 1)", text, count=1), "flat"),
        (lambda text: re.sub(r"matrix\([^)]*\)", "matrix(1e999 0 0 1 1 1)", text, count=1), "beyond all bounds"),
        (lambda text: text.replace('<circle r="1" fill="#', '<circle cx="1" r="1" fill="#', 1), "no splat any more"),
        (lambda text: text.replace('stop-opacity="0.8', 'stop-opacity="0.3'), "another gradient"),
        (lambda text: text.replace("plus-lighter", "normal"), "another <style>"),
        (lambda text: SHAPE.sub("", text), "no splats"),
        (lambda text: text.replace("format_version", "version"), "format_version"),
        (lambda text: text.replace('fill="#', 'opacity="1 2" fill="#', 1), "no single number"),
        (lambda text: text.replace("</svg>", "<g>" * 99 + "</g>" * 99 + "</svg>"), "nested more than"),
        (lambda text: text.replace('fill="#', 'fill="no colour #', 1), "a fill that is no plain colour"),
    ],
)
def test_foreign_and_damaged_files_are_refused_in_one_sentence(edited, change, complaint):
    with pytest.raises(InputError, match=rf"x\.svg: .*({complaint})"):
        edited(change)
