"""Tutorials as their readers follow them: the commands and the Python in a page, one after another."""

import re
import runpy
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from gaussiandiffusion.cli.main import run

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "tutorials"


def blocks(name: str) -> list[tuple[str, str]]:
    """Language and text of the fenced blocks of a page, seen from the tutorials."""
    return re.findall(r"^```(\w+)\n(.*?)^```", (DOCS / name).read_text(), re.MULTILINE | re.DOTALL)


def commands(name: str) -> list[list[str]]:
    """The words of every command of a page."""
    return [shlex.split(line) for language, text in blocks(name) if language == "sh" for line in text.splitlines()]


def follow(
    name: str,
    other: Mapping[str, str] | None = None,
    *,
    more: Mapping[str, Sequence[str]] | None = None,
    files: Mapping[str, str] | None = None,
) -> None:
    """Run a tutorial's commands and its Python in the working folder.

    Args:
        other: words of commands, and strings of Python, that stand for others: a model's name for a small one's folder.
        more: words behind the commands of a verb, and of `python`, that make them small.
        files: what a block of a language is written to.
    """
    other, more, files = other or {}, more or {}, files or {}
    for language, text in blocks(name):
        if language == "sh":
            for program, *words in map(shlex.split, text.splitlines()):
                _type(program, [other.get(word, word) for word in words], more)
        elif language == "python":
            for word, instead in other.items():
                text = text.replace(f'"{word}"', repr(instead))
            exec(compile(text, name, "exec"), {})
        elif language in files:
            Path(files[language]).write_text(text)


def _type(program: str, words: list[str], more: Mapping[str, Sequence[str]]) -> None:
    if program == "python":  # a script of the repository
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", [*words, *more.get(program, ())])
            runpy.run_path(str(ROOT / words[0]), run_name="__main__")
        return
    assert program == "gaussiandiffusion"
    assert run([*words, *more.get(words[0], ())]) == 0, words
