"""The exercises: solved copies of the notebooks say "Right.", unsolved ones wait, and wrong answers hear why."""

import json
import pathlib
import re

import nbformat
import numpy as np
import pytest
import sympy as sp
import textbook
from nbclient import NotebookClient

import backproplab as bp
from backproplab.exercise_table import EXERCISES

NOTEBOOKS = sorted((pathlib.Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
ASKING = re.compile(r'^bp\.exercise\("([\d.]+)"\)\.check\(.*\)$', re.M)


def asked(notebook):
    """(cell, the exercise's number) for every cell that checks an answer."""
    for cell in notebook.cells:
        found = cell.cell_type == "code" and ASKING.search(cell.source)
        if found:
            yield cell, found[1]


def said(cell):
    return cell.outputs[0]["data"]["text/plain"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "path",
    [path for path in NOTEBOOKS if any(name.startswith(path.name[:2]) for name in EXERCISES)],
    ids=lambda path: path.stem,
)
def test_a_notebook_with_the_solutions_filled_in_is_right(path):
    notebook = nbformat.read(path, as_version=4)
    cells = list(asked(notebook))
    assert [name for _, name in cells] == [name for name in EXERCISES if name.startswith(path.name[:2])] and 3 <= len(
        cells
    ) <= 5
    for cell, name in cells:
        assert said(cell).startswith("Waiting for you") and "..." in cell.source
        cell.source = EXERCISES[name].solution + "\n\n" + ASKING.search(cell.source)[0]
    NotebookClient(notebook, timeout=60, kernel_name="python3", allow_errors=False).execute()
    assert {name: said(cell) for cell, name in cells} == {name: "Right." for _, name in cells}


def test_the_notebooks_hold_no_answers():
    for path in NOTEBOOKS:
        text = "\n".join("".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"])
        for name, row in EXERCISES.items():
            assert row.solution not in text and row.hint not in text, (path.name, name)


@pytest.mark.parametrize("name, answer, verdict, text", [
    ("01.1", ..., "waiting", "Waiting for you"), ("03.1", (..., ...), "waiting", "Waiting"), ("01.3", lambda x, y, w: ..., "waiting", "Waiting"),
    ("01.1", "x", "wrong", "as a set"), ("01.1", {"w"}, "wrong", "Not yet"), ("01.1", ["y", "x"], "right", "Right"),
    ("03.1", (1, 2), "wrong", "number 2"), ("03.1", 1, "wrong", "2 answers are asked for, found 1"), ("03.1", (1.0, 0.0), "right", "Right"),
    ("05.2", 9.5367431640625e-07, "right", "Right"), ("05.2", 9.54e-07, "wrong", "Not yet"), ("05.2", "x", "wrong", "Not yet"),
    ("03.2", "4*(a - y)**3", "right", "Right"), ("03.2", "-4*(y-a)*(y-a)*(y-a)", "right", "Right"),
    ("03.2", 4 * (sp.Symbol("a") - sp.Symbol("y")) ** 3, "right", "Right"), ("03.2", "4*(y - a)**3", "wrong", "opposite"),
    ("03.2", 0.1, "wrong", "as a formula"), ("03.2", "4*(q - y)**3", "wrong", "uses q, but the graph has"), ("03.2", "4*(a -", "wrong", "cannot be read"),
    ("03.2", "__import__('os').system('true')", "wrong", "cannot be read"), ("03.2", [1], "wrong", "found list"),
    ("01.2", "3", "wrong", "right value here, but not the same formula"), ("01.2", 3, "wrong", "right value here, but one number is no formula"),
    ("01.2", "x", "wrong", "one use only"), ("03.4", "(a - y)*a*(1 - a)*x", "wrong", "one use only"),
    ("04.1", "(a2 - y)*a2*(1 - a2)*w2*x", "wrong", "You left out da1/dz1"), ("04.1", "(a2 - y)*a2*(1 - a2)*(1 - a1**2)*x", "wrong", "dz2/da1 is left out"),
    ("04.1", "(a2 - y)*sigmoid(z2)*(1 - a2)*w2*(1 - tanh(z1)**2)*x", "right", "Right"),
    ("03.3", 3, "wrong", "write def"), ("03.3", lambda **numbers: {"w1": 1.0}, "wrong", "b, w2 is missing"),
    ("03.3", lambda x1, x2, w1, w2, b, y: {"w1": 0.3, "w2": 0.1, "b": 0.2}, "wrong", "No single mistake"),
    ("03.3", lambda x1: {}, "wrong", "your function raised TypeError"),
    ("04.2", lambda p, X, Y: {name: 0 * value for name, value in p.items()}, "wrong", "No single mistake"),
    ("04.2", lambda p, X, Y: {"W1": p["W1"]}, "wrong", "W2, b1, b2 is missing"),
    ("06.2", lambda W, D: D @ W, "right", "Right"), ("06.2", lambda W, D: (D @ W).T, "wrong", "has shape (3, 5), expected (5, 3)"),
    ("09.1", ("z1", "W1"), "right", "Right"), ("09.1", ("Z1", "b1"), "wrong", "number 2"),
    ("09.3", lambda p, X, Y: bp.Network.from_parameters(p, ["sigmoid", "identity"]).gradient(X, Y), "wrong", "nothing is broken yet"),
    ("06.2", lambda W, D: D @ W + 5j, "wrong", "found dtype complex128"), ("03.2", 10**400, "wrong", "found int"), ("01.1", [["x"]], "wrong", "Not yet"),
    ("06.2", lambda W, D: -(D @ W), "wrong", "Not yet"),
])  # fmt: skip
def test_answers(name, answer, verdict, text):
    reply = bp.exercise(name).check(answer)
    assert reply.verdict == verdict and text in repr(reply), reply


@pytest.mark.parametrize("mistake", ["output-slope-missing", "hidden-slope-missing", "sign"])
def test_a_network_exercise_names_the_mistake(mistake):
    net = bp.Network([2, 3, 2], ["tanh", "sigmoid"], reduction="sum")
    reply = bp.exercise("04.2").check(lambda p, X, Y: textbook.gradient(net, p, X, Y, mistake=mistake))
    assert reply.verdict == "wrong" and repr(reply).startswith(mistake + ": ")


def test_hints_and_solutions_are_one_call_away():
    exercise = bp.exercise("03.2")
    assert "inner" in repr(exercise.hint()) and repr(exercise.solution()).startswith("dL_da = ")
    assert ".hint()" in repr(exercise) and "dL_da" not in repr(exercise)
    with pytest.raises(ValueError, match=r"there is no '99.9'; the exercises are 01.1, 01.2"):
        bp.exercise("99.9")


def test_replies_are_escaped():
    reply = bp.exercise("03.2").check("<script>alert(1)</script>")
    assert "<script>" not in reply._repr_html_()


def test_checking_changes_nothing_of_the_learners():
    given = np.array([0.2, -0.7, 0.5])
    assert bp.exercise("07.1").check(given).verdict == "right" and np.array_equal(given, [0.2, -0.7, 0.5])
