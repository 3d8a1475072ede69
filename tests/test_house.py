"""The house: imports go down, the package starts light, names are what the design promises."""

import ast
import pathlib
import subprocess
import sys

import pytest

import backproplab as bp

ROOT = pathlib.Path(__file__).parent.parent
FLOORS = [
    {"notation", "functions"}, {"terms", "program", "picture"}, {"expressions", "derivation", "drawing", "rounding", "witnesses", "claims"}, {"matrix_derivation", "graph", "verdicts", "step_sizes"}, {"unrolling", "network_input"}, {"network"}, {"checking", "mistakes", "probing"}, {"hypotheses", "answers"}, {"network_diagnosis", "graph_diagnosis"}, {"diagnosis", "exercise_table"}, {"exercises", "explorers"},
]  # fmt: skip
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def imported_rooms(path):
    """The rooms of the package that a module imports, also inside its functions."""
    depth = len(path.relative_to(ROOT / "backproplab").parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            yield from [node.module.split(".")[0]] if node.module else [alias.name for alias in node.names]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "backproplab").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_imports_go_down_only(path):
    room = path.relative_to(ROOT / "backproplab").parts[0].removesuffix(".py")
    if room != "__init__":
        assert all(FLOOR[other] < FLOOR[room] for other in imported_rooms(path))


def test_only_the_explorers_import_ipywidgets():
    for path in (ROOT / "backproplab").rglob("*.py"):
        if path.parent.name != "explorers":
            assert "ipywidgets" not in path.read_text(encoding="utf-8").replace("imports ipywidgets", "")


def test_the_package_starts_without_widgets_and_matplotlib():
    code = "import sys, backproplab; print([m for m in ('ipywidgets', 'matplotlib', 'IPython', 'torch') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=["lint", "format"])
def test_one_style(command):
    found = subprocess.run([sys.executable, "-m", "ruff", *command, str(ROOT)], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr


def test_public_names():
    for name in bp.__all__:
        assert getattr(bp, name).__doc__ or name.isupper(), name
    with pytest.raises(AttributeError, match="no attribute 'explain'"):
        _ = bp.explain


def test_the_readme_tells_the_truth():
    """Every >>> line of the README prints what stands below it."""
    import doctest

    assert (
        doctest.testfile(
            str(ROOT / "README.md"), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
        ).attempted
        > 3
    )
    result = doctest.testfile(str(ROOT / "README.md"), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0
