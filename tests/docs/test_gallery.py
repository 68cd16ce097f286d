"""The page of pictures: its commands are ones, its pictures are there, and no picture is shown nowhere."""

import re
from importlib import import_module

import pytest
from tutorials import ROOT, commands

from gaussiandiffusion.cli.main import _parse

PAGE = "../gallery.md"
PICTURES = ROOT / "docs" / "pictures"


@pytest.mark.parametrize("words", commands(PAGE), ids=" ".join)
def test_its_commands_are_understood(words):
    program, verb, *rest = words
    assert program == "gaussiandiffusion"
    _parse(import_module(f"gaussiandiffusion.cli.{verb}"), verb, rest)


def shown(page):
    """Names of the pictures of a page."""
    return set(re.findall(r"\]\((?:\.\./|docs/)?pictures/([\w.-]+)\)", page.read_text()))


def test_every_picture_is_shown_and_every_one_that_is_shown_is_there():
    there = {path.name for path in PICTURES.iterdir()}
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    assert set().union(*map(shown, pages)) == there
    plots = {name for name in there if name.endswith(".svg")} | {"stability.png"}  # stand with what they measure
    assert shown(ROOT / "docs" / "gallery.md") == there - plots
