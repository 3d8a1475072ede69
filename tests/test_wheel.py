"""A wheel holds every file of the package, and works where the sources are not."""

import pathlib
import subprocess
import sys
import zipfile

import pytest

import backproplab as bp

ROOT = pathlib.Path(__file__).parent.parent
USE = """
import pathlib, sys
import backproplab as bp
assert pathlib.Path(bp.__file__).is_relative_to(sys.argv[1]), bp.__file__
graph, at = bp.Graph(z="w*x + b", a="sigmoid(z)", L="(y - a)**2 / 2"), dict(x=1.5, w=-0.4, b=0.2, y=1.0)
trace = graph.forward(**at)
picture = bp.draw(graph.terms(trace), trace)
assert picture.svg and picture.png and graph.derive("w", trace).latex and bp.table(trace)._repr_html_()
assert bp.check_gradient(graph, at=at).verdict == "agree"
net = bp.Network([2, 3, 1], ["tanh", "sigmoid"])
X, Y = [[0.5, -1.0], [1.5, 0.2], [0.1, 0.3]], [[1.0], [0.0], [1.0]]
wrong = {name: -value for name, value in net.gradient(X, Y).items()}
assert bp.diagnose(wrong, net, X, Y).mistake == "sign"
assert repr(bp.exercise("06.2").solution()).startswith("def back(W, D):")
assert bp.explore(graph, wrt="w", **at).still.svg and bp.explore_step(graph, "w", **at).still.svg
assert bp.explore_boundary(bp.Network([2, 3, 1], ["tanh", "sigmoid"]), X, Y).still.svg
assert bp.explore_activation().still.svg and bp.explore_loss().still.svg
assert bp.explore_softmax().still.svg and bp.explore_layouts().still.svg
print("used")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_every_file_of_the_package_is_inside(wheel):
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "backproplab").rglob("*") if path.is_file()}
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("backproplab/")}
    assert {file for file in files if "__pycache__" not in file} == held and len(held) > 40


def test_it_works_where_the_sources_are_not(wheel, tmp_path):
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(tmp_path / "site"), str(wheel)]  # fmt: skip
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    used = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", USE, str(tmp_path / "site")],
        cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "site")}, capture_output=True, text=True,
    )  # fmt: skip
    assert used.stdout == "used\n", used.stderr
    assert not (tmp_path / "site" / "tests").exists() and bp.__file__.startswith(str(ROOT))
