"""The notebooks: run again and compared by nbval, strictly, and what nbval lets through looked at here."""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FORBIDDEN = {
    "an address in memory": r"0x[0-9a-f]{6,}",
    "a path of a machine": r"(?<![\w/])/(home|root|tmp|usr|work|Users|opt)/",
    "a date": r"\b20\d\d-\d\d-\d\d",
    "a last digit": r"\d\.\d{10,}",
    "a raw NumPy number": r"np\.float|array\(",
    "a network address in code": r"https?://",
}


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def source(cell):
    return "".join(cell["source"])


def needs_pytorch(path):
    """Whether a notebook imports PyTorch, which the package does without."""
    return any(re.search(r"^import torch$", source(cell), re.M) for cell in read(path)["cells"])


def complaints(notebook):
    """What is wrong with a notebook as it is stored."""
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    sizes = [len([line for line in source(cell).splitlines() if line.strip()]) for cell in code]
    if [cell["execution_count"] for cell in code] != list(range(1, len(code) + 1)):
        yield "execution counts are not 1..n: run all cells from a fresh kernel, then save"
    if not any(cell["outputs"] for cell in code):
        yield "the outputs were cleared"
    if not 20 <= len(code) <= 45 or statistics.median(sizes) > 4 or max(sizes) > 15:
        yield f"{len(code)} code cells, median {statistics.median(sizes)}, longest {max(sizes)}: beyond the guide"
    if "widgets" in notebook["metadata"]:
        yield "widget state is stored"
    for cell in code:
        if re.search(r"%%capture|sys\.path|^\s*!|%matplotlib", source(cell), re.M):
            yield f"a cell with more than Python: {source(cell)!r:.60}"
        ends = source(cell).rstrip().splitlines()[-1]
        if re.fullmatch(r"[A-Za-z_]\w*|bp\.(draw|explore|table)\(.*\)|\w+\.derive\(.*\)", ends) and not cell["outputs"]:
            yield f"a cell whose result was cleared: {source(cell)!r:.60}"
        for output in cell["outputs"]:
            if output["output_type"] == "error":
                yield f"a cell that fails: {source(cell)!r:.60}"
            data = {
                kind: "".join(text) for kind, text in output.get("data", {}).items() if isinstance(text, (str, list))
            } | {"stream": "".join(output.get("text", ""))}
            shown = " ".join(text for kind, text in data.items() if kind not in ("image/png", "image/svg+xml"))
            yield from (
                f"{what} in an output: {shown!r:.80}"
                for what, pattern in FORBIDDEN.items()
                if re.search(pattern, shown)
            )
            if "image/svg+xml" in data and "image/png" not in data:
                yield "a picture without a PNG beside its SVG: not to be seen before the first run"


def test_there_are_notebooks():
    listed = re.findall(r"\]\(notebooks/(\w+\.ipynb)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert [path.name for path in NOTEBOOKS] == listed
    assert len(listed) >= 3


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_as_it_should_be(path):
    assert list(complaints(read(path))) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_lead_somewhere(path):
    text = "\n".join(source(cell) for cell in read(path)["cells"] if cell["cell_type"] == "markdown")
    for target in re.findall(r"\]\(([^)#:]+)\)", re.sub("`[^`]*`", "", text)):
        assert (path.parent / target).exists(), target


def spoil(change):
    notebook = read(NOTEBOOKS[0])
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    change(notebook, code)
    return list(complaints(notebook))


@pytest.mark.parametrize("change", [
    lambda notebook, code: code[3].update(execution_count=99),
    lambda notebook, code: [cell.update(outputs=[]) for cell in code],
    lambda notebook, code: next(cell for cell in code if source(cell).endswith("trace)")).update(outputs=[]),
    lambda notebook, code: code[4].update(source="x = 1\n" * 16),
    lambda notebook, code: notebook["metadata"].update(widgets={}),
    lambda notebook, code: code[5].update(outputs=[{"output_type": "stream", "text": "<object at 0x7f3a2b4c5d6e>"}]),
    lambda notebook, code: code[5].update(outputs=[{"output_type": "stream", "text": "2026-11-21"}]),
    lambda notebook, code: code[5].update(outputs=[{"output_type": "stream", "text": "0.401312339887548"}]),
    lambda notebook, code: code[5].update(outputs=[{"output_type": "error"}]),
    lambda notebook, code: code[5].update(source="!pip list"),
])  # fmt: skip
def test_the_lint_sees_a_spoilt_notebook(change):
    assert spoil(change)


# Another processor: NumPy without its widest vector units, another BLAS kernel. Last digits may change, stored outputs may not.
OTHER_PROCESSOR = {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR", "OPENBLAS_CORETYPE": "Prescott"}


def nbval(*paths, **environment):
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--nbval",
        "--nbval-current-env",
        "--nbval-cell-timeout=120",
        "-q",
        "-W",
        "ignore",
        *map(str, paths),
    ]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=600, env=os.environ | environment)


@pytest.mark.parametrize("environment", [{}, OTHER_PROCESSOR], ids=["this processor", "another processor"])
def test_every_output_comes_out_again(environment):
    result = nbval(*(path for path in NOTEBOOKS if not needs_pytorch(path)), **environment)
    assert result.returncode == 0, result.stdout[-6000:]


@pytest.mark.parametrize("environment", [{}, OTHER_PROCESSOR], ids=["this processor", "another processor"])
@pytest.mark.parametrize("path", [*filter(needs_pytorch, NOTEBOOKS)], ids=lambda path: path.stem)
def test_every_output_comes_out_again_with_pytorch(path, environment):
    pytest.importorskip("torch", reason=f"{path.stem} needs PyTorch: pip install torch")
    result = nbval(path, **environment)
    assert result.returncode == 0, result.stdout[-6000:]


def test_a_wrong_output_is_seen(tmp_path):
    notebook = read(NOTEBOOKS[0])
    cell = next(
        cell
        for cell in notebook["cells"]
        if cell["cell_type"] == "code" and any("9" in str(o.get("data", {}).get("text/plain")) for o in cell["outputs"])
    )
    cell["outputs"][0]["data"]["text/plain"] = ["10"]
    spoilt = tmp_path / "spoilt.ipynb"
    spoilt.write_text(json.dumps(notebook), encoding="utf-8")
    assert nbval(spoilt).returncode == 1
