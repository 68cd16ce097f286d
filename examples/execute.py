"""Run a notebook's cells anew and write what they show into it, as Jupyter does, but without Jupyter.

Run: python examples/execute.py examples/tour.ipynb     (make notebook)
"""

from __future__ import annotations

import argparse
import ast
import base64
import contextlib
import copy
import io
import json
import re
from pathlib import Path
from typing import Any

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")  # in the words of an object, another every time


def execute(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook with the outputs of its code cells: what they print, and what their last line shows.

    Raises:
        Exception: whatever a cell raises; nothing is caught.
    """
    notebook = copy.deepcopy(notebook)
    names: dict[str, Any] = {"__name__": "__main__"}
    count = 0
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            count += 1
            cell["execution_count"] = count
            cell["outputs"] = run_cell("".join(cell["source"]), names, count)
    return notebook


def run_cell(source: str, names: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """Run one cell in `names`; its outputs in the notebook format."""
    tree = ast.parse(source, f"cell {count}")
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed, shown = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, f"cell {count}", "exec"), names)
        if isinstance(last, ast.Expr):
            shown = eval(compile(ast.Expression(last.value), f"cell {count}", "eval"), names)
    outputs: list[dict[str, Any]] = []
    if printed.getvalue():
        outputs.append({"name": "stdout", "output_type": "stream", "text": lines(printed.getvalue())})
    if shown is not None:
        data = looks(shown)
        outputs.append({"data": data, "execution_count": count, "metadata": {}, "output_type": "execute_result"})
    return outputs


def looks(value: Any) -> dict[str, Any]:
    """How a value shows itself: always as text, and as a page or else as a picture where it can."""
    data: dict[str, Any] = {"text/plain": lines(ADDRESS.sub("", repr(value)))}
    page = value._repr_html_() if hasattr(value, "_repr_html_") else None
    picture = value._repr_png_() if page is None and hasattr(value, "_repr_png_") else None
    if page is not None:
        data["text/html"] = lines(page)
    if picture is not None:
        data["image/png"] = base64.b64encode(picture).decode()
    return data


def lines(text: str) -> list[str]:
    """Text as notebooks keep it."""
    return text.splitlines(keepends=True)


def written(notebook: dict[str, Any]) -> str:
    """The text of a notebook's file."""
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebook", type=Path)
    path = parser.parse_args().notebook
    path.write_text(written(execute(json.loads(path.read_text(encoding="utf-8")))), encoding="utf-8")
    print(f"{path.stat().st_size} bytes: {path}")
