"""The notebook that tours the API runs, and what it keeps is what it shows."""

import importlib.util
import json
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
LARGEST = 300_000  # bytes


@pytest.fixture(scope="module")
def runner():
    """`examples/execute.py` as a module."""
    spec = importlib.util.spec_from_file_location("execute", EXAMPLES / "execute.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def kinds(notebook):
    """Of every output the forms it comes in, and its words."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    outputs = [output for cell in cells for output in cell["outputs"]]
    return [(output["output_type"], sorted(output.get("data", {})), words(output)) for output in outputs]


def words(output):
    return output.get("data", {}).get("text/plain")


def test_the_tour_runs_and_keeps_what_it_shows(runner, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = EXAMPLES / "tour.ipynb"
    assert path.stat().st_size <= LARGEST
    notebook = json.loads(path.read_text(encoding="utf-8"))
    anew = runner.execute(notebook)
    assert kinds(anew) == kinds(notebook)
    assert {"image/png", "text/html"} <= {kind for _, forms, _ in kinds(anew) for kind in forms}
    assert runner.written(notebook) == path.read_text(encoding="utf-8")
    printed = "".join(
        line for cell in anew["cells"] for output in cell.get("outputs", []) for line in output.get("text", [])
    )
    assert ".svg: the same means" in printed
    assert all(cell["execution_count"] for cell in notebook["cells"] if cell["cell_type"] == "code")


def test_a_cell_prints_shows_and_fails_as_in_jupyter(runner):
    names = {}
    assert runner.run_cell("x = 2", names, 1) == []
    printed, shown = runner.run_cell("print(x)\nx + 1", names, 2)
    assert (printed["text"], shown["data"]) == (["2\n"], {"text/plain": ["3"]})
    assert runner.run_cell("None", names, 3) == []
    with pytest.raises(ZeroDivisionError):
        runner.run_cell("1 / 0", names, 4)
