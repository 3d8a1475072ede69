"""The house: imports go down, the package starts light, names are what the design promises."""

import ast
import pathlib
import subprocess
import sys

import pytest

import backproplab as bp

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = ROOT / "backproplab"
# The one rule: a folder, or a room at the door, imports only from those above it in this tuple; two on a line, from neither.
ORDER = (
    "notation",
    "functions",
    "given",
    "terms",
    "lines",
    "paper",
    "pictures",
    "models",
    ("training", "checking"),
    "diagnosis",
    ("exercises", "explorers"),
    "gallery",
)
FLOOR = {
    place: floor for floor, places in enumerate(ORDER) for place in ([places] if isinstance(places, str) else places)
}


def room_of(path):
    """The parts of a room's name: ("checking", "claims"), ("terms",); a folder's __init__ is the folder."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


ROOMS = {room_of(path): path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py"}


def imported_rooms(path, source=None):
    """The rooms of the package that a module imports, also inside its functions."""
    package = path.relative_to(PACKAGE).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8") if source is None else source)):
        if isinstance(node, ast.Import):
            yield from (
                tuple(alias.name.split(".")[1:]) for alias in node.names if alias.name.startswith("backproplab")
            )
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ("..",)
            base += tuple((node.module or "").split(".")) if node.module else ()
            base = base[2:] if base[:2] == ("..", "backproplab") else base
            for alias in node.names:
                room = base if base in ROOMS and (*base, alias.name) not in ROOMS else (*base, alias.name)
                if room in ROOMS or room[:-1] in ROOMS:
                    yield room if room in ROOMS else room[:-1]


def arrows_up(rooms):
    """(room, other) for each import that does not go down; `rooms` maps a room to the rooms that it imports."""
    return [(room, other) for room, others in rooms.items() for other in others
            if room[0] != other[0] and FLOOR[other[0]] >= FLOOR[room[0]]]  # fmt: skip


def circle(rooms):
    """The rooms that are on a circle of imports, or lead to one."""
    left = dict(rooms)
    while free := [room for room, others in left.items() if not any(other in left for other in others)]:
        for room in free:
            del left[room]
    return left


@pytest.fixture(scope="module")
def imports():
    return {room: {other for other in imported_rooms(path) if other != room} for room, path in ROOMS.items()}


def test_imports_go_down_only(imports):
    assert {room[0] for room in imports} == set(FLOOR)
    assert arrows_up(imports) == []
    assert circle(imports) == {}


@pytest.mark.parametrize("room, source, other", [
    (("terms",), "def f():\n    from .models.graph import Graph", ("models", "graph")),
    (("checking", "claims"), "from .. import terms\nfrom ..diagnosis import report", ("diagnosis", "report")),
    (("exercises", "table"), "import backproplab.explorers", ("explorers",)),
])  # fmt: skip
def test_an_arrow_up_is_seen(imports, room, source, other):
    spoilt = imports | {room: set(imported_rooms(ROOMS[room], source))}
    assert (room, other) in arrows_up(spoilt)


def test_a_circle_inside_a_folder_is_seen(imports):
    claims, check = ("checking", "claims"), ("checking", "check")
    spoilt = imports | {claims: set(imported_rooms(ROOMS[claims], "from .check import check_gradient"))}
    assert arrows_up(spoilt) == [] and {claims, check} <= circle(spoilt).keys()


def test_folders_are_small_and_say_their_question():
    for folder in {room[:depth] for room in ROOMS for depth in range(1, len(room))}:
        assert len([room for room in ROOMS if room[:-1] == folder]) <= 8, folder
        assert ast.get_docstring(ast.parse(ROOMS[folder].read_text(encoding="utf-8"))), folder


def test_no_room_bears_the_name_of_what_it_holds():
    for room, path in ROOMS.items():
        held = {getattr(node, "name", None) for node in ast.parse(path.read_text(encoding="utf-8")).body}
        assert room[-1] not in held and not (len(room) == 1 and room[0] in bp.__all__), room


def test_only_the_explorers_import_ipywidgets():
    for path in (ROOT / "backproplab").rglob("*.py"):
        if path.parent.name != "explorers":
            assert "ipywidgets" not in path.read_text(encoding="utf-8").replace("imports ipywidgets", "")


def test_the_package_starts_without_widgets_and_matplotlib():
    code = "import sys, backproplab; print([m for m in ('ipywidgets', 'matplotlib', 'IPython', 'torch', 'sklearn') if m in sys.modules])"
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
