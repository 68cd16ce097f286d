"""Dispatch of verbs, and the rule for errors: one line on stderr, exit 2 for bad input, 130 when interrupted."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import warnings
from importlib import import_module
from typing import Any

from gaussiandiffusion.cli.allocator import keep_memory
from gaussiandiffusion.ground.errors import InputError

PROGRAM = "gaussiandiffusion"
VERBS = {
    "sample": "generate pictures from a trained model",
    "encode": "images or data sets to splat sets",
    "render": "splat sets to pictures",
    "train": "train a model",
    "evaluate": "measure generated images against real ones",
    "edit": "splat sets changed by hand: moved, recoloured, cropped, layered ...",
    "convert": "sets of other systems to ours, and back",
    "inpaint": "keep a part of sets, and let a model make the rest",
    "interpolate": "from one sample, set or picture to the next",
    "transfer": "sets as something else, by their noise",
    "vary": "sets like given ones, by a model",
    "profile": "what an image costs: parameters, operations, time",
    "animate": "noise being added and taken away, sets becoming others, pictures being encoded",
}


def main(argv: list[str] | None = None) -> None:
    """Run the command line; exits the process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names of files may be no text
    # stdout may be a closed pipe (| head); that is no error of ours.
    try:
        code = run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def run(argv: list[str]) -> int:
    """Run one command; returns the exit status."""
    if argv and argv[0] == "--version":
        from gaussiandiffusion import __version__

        print(f"{PROGRAM} {__version__}")
        return 0
    if not argv or argv[0] in ("-h", "--help"):
        print(_overview(), file=sys.stdout if argv else sys.stderr)
        return 0 if argv else 2
    verb, *rest = argv
    if verb not in VERBS:
        return _complain(f"unknown verb '{verb}'; choose one of {', '.join(VERBS)}")
    warnings.filterwarnings("ignore", module=r"PIL\.")  # a damaged picture gets one sentence, ours
    try:
        command = _parse(import_module(f"gaussiandiffusion.cli.{verb}"), verb, rest)
        keep_memory()
        command.run()
    except InputError as error:
        return _complain(str(error))
    except BrokenPipeError:
        raise  # see `main`
    except OSError as error:  # a full disk or an unreadable file, wherever it struck
        name = f"{error.filename}: " if error.filename else ""
        return _complain(f"{name}{error.strerror or error}")
    except (MemoryError, RuntimeError) as error:
        if not _out_of_memory(error):
            raise
        return _complain("there is not enough memory for this; ask for fewer, smaller images or splats at a time")
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except SystemExit as exit_:  # --help
        return int(exit_.code or 0)
    return 0


def _parse(module: Any, verb: str, argv: list[str]) -> Any:
    """The verb's command from its flags.

    Raises:
        InputError: flags that the verb does not take; tyro's boxed message, in one line.
    """
    import tyro

    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            if hasattr(module, "parse"):
                command = module.parse(argv, f"{PROGRAM} {verb}")
            else:
                settings = (tyro.conf.AvoidSubcommands,)
                command = tyro.cli(module.Command, args=argv, prog=f"{PROGRAM} {verb}", config=settings)
    except SystemExit as exit_:
        if not exit_.code:
            raise
        raise InputError(_one_line(said.getvalue()) or f"bad arguments; see {PROGRAM} {verb} --help") from None
    sys.stderr.write(said.getvalue())  # a word about a flag's new name
    return command


def _one_line(box: str) -> str:
    text = re.sub(r"\x1b\[[0-9;]*m", "", box)
    lines = [re.sub(r"[╭╮╰╯│─]+", " ", line).strip() for line in text.splitlines()]
    return " ".join(re.sub(r"\s+", " ", line) for line in lines if line)


def _out_of_memory(error: BaseException) -> bool:
    """Whether Python, NumPy or PyTorch, on any device, could not get memory."""
    words = ("not enough memory", "DefaultCPUAllocator", "out of memory")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)


def _complain(sentence: str) -> int:
    print(f"{PROGRAM}: {' '.join(sentence.split())}", file=sys.stderr)
    return 2


def _overview() -> str:
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {verb:<{width}}  {says}" for verb, says in VERBS.items())
    return (
        f"usage: {PROGRAM} VERB ...\n\nImage generation in the space of 2D Gaussians.\n\nverbs:\n{verbs}\n\n"
        f"Each verb tells more: {PROGRAM} sample --help\n"
        f"Example: {PROGRAM} sample --label 3 --num 16 --steps 10 --out out/"
    )
