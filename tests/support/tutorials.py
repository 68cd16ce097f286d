"""Tutorials as their readers follow them: the commands and the Python in a page, one after another."""

import re
import shlex
from pathlib import Path

from gaussiandiffusion.cli.main import run

DOCS = Path(__file__).parents[2] / "docs" / "tutorials"


def blocks(name: str) -> list[tuple[str, str]]:
    """Language and text of the fenced blocks of a tutorial."""
    return re.findall(r"^```(\w+)\n(.*?)^```", (DOCS / name).read_text(), re.MULTILINE | re.DOTALL)


def follow(name: str, other: dict[str, str]) -> None:
    """Run a tutorial's commands and its Python in the working folder.

    Args:
        other: words of commands, and strings of Python, that stand for others: a model's name for a small one's folder.
    """
    for language, text in blocks(name):
        if language == "sh":
            for program, *words in (shlex.split(line) for line in text.splitlines()):
                assert program == "gaussiandiffusion"
                assert run([other.get(word, word) for word in words]) == 0, words
        elif language == "python":
            for word, instead in other.items():
                text = text.replace(f'"{word}"', repr(instead))
            exec(compile(text, name, "exec"), {})
