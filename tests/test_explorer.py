"""The explorer: driven through its controls and in code, compared with computations of the test's own; then in a real kernel."""

import json
import math
import queue
import re
import time
import xml.etree.ElementTree as ET

import pytest
from conftest import AT, NEURON
from jupyter_client.manager import KernelManager

import backproplab as bp


def by_hand(w, x=1.5, b=0.2, y=1.0):
    """The test's own neuron."""
    z = w * x + b
    a = 1 / (1 + math.exp(-z))
    return {"z": z, "a": a, "L": (y - a) ** 2 / 2, "dL/dw": (a - y) * a * (1 - a) * x, "da/dz": a * (1 - a)}


def texts(svg):
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


@pytest.fixture
def explorer(neuron):
    return bp.explore(neuron, **AT, wrt="w")


def test_a_slider_moves_numbers_formula_and_picture(explorer):
    explorer._sliders["w"].value = 60  # of 80 steps to 4
    expected = by_hand(3.0)
    assert explorer.trace["a"] == pytest.approx(expected["a"], rel=1e-14)
    assert explorer.gradient["w"] == pytest.approx(expected["dL/dw"], rel=1e-13)
    assert f"{expected['dL/dw']:.6g}" in explorer.latex
    assert f"∂a/∂z = {expected['da/dz']:.4g}" in texts(explorer.svg)
    assert explorer.svg in explorer._panel.value and explorer._fields["w"].value == 3.0


def test_a_move_sends_one_update_of_the_page(explorer):
    sent = []
    explorer._panel.observe(lambda change: sent.append(change["new"]), "value")
    explorer._sliders["w"].value = 20
    assert len(sent) == 1


def test_a_typed_number_beyond_the_slider_widens_it(explorer):
    explorer._fields["x"].value = -7.25
    assert explorer.numbers["x"] == -7.25
    assert explorer._sliders["x"].value == -72
    explorer._sliders["x"].value = -71
    assert explorer.numbers["x"] == -7.1 and explorer._fields["x"].value == -7.1


def test_stepping_forward_then_backward(explorer):
    shown = []
    explorer._buttons["first"].click()
    for _ in range(explorer.steps + 1):
        labels = {t.split(" = ")[0] for t in texts(explorer.svg) if t.startswith("∂")}
        shown.append((explorer.step, len(labels), explorer.latex.count("?")))
        explorer._buttons["next"].click()
    assert shown == [(0, 0, 3), (1, 0, 3), (2, 0, 3), (3, 0, 3), (4, 2, 2), (5, 3, 1), (6, 6, 0)]
    explorer._buttons["back"].click()
    assert explorer.step == 5 and "through" in explorer._panel.value
    explorer.step = 1
    assert "−0.4" in texts(explorer.svg) and "0.4013" not in texts(explorer.svg)


def test_choosing_the_quantity_and_the_output(explorer):
    explorer._wrt.value = "b"
    assert r"\frac{\partial z}{\partial b}" in explorer.latex
    explorer.wrt = "z"
    assert explorer._wrt.value == "z"
    explorer._of.value = "a"
    assert explorer.output == "a" and explorer.wrt == "z" and "y" not in explorer._wrt.options
    assert explorer.gradient["w"] == pytest.approx(by_hand(-0.4)["da/dz"] * 1.5, rel=1e-14)
    explorer.output = "L"
    explorer.wrt = "y"
    explorer.output = "z"
    assert explorer.wrt in ("w", "x", "b")


def test_several_paths_each_with_its_product_and_the_sum():
    explorer = bp.explore(bp.Graph(u="x**2", v="sin(x)", L="u*v"), x=1.2)
    assert explorer.wrt == "x"
    parts = [2 * 1.2 * math.sin(1.2), 1.44 * math.cos(1.2)]
    assert f"{parts[0]:.6g} + {parts[1]:.6g} = {sum(parts):.6g}" in explorer.latex
    assert "path 2 / 2: L ← v ← x" in explorer._panel.value


def test_more_paths_than_can_be_listed_still_have_a_picture():
    lines = [(f"q{i}", f"q{i - 1} + q{i - 2}*y" if i > 1 else "y + 1") for i in range(40)]
    explorer = bp.explore(bp.Graph(lines), y=0.1)
    assert "paths lead from q39 to y" in explorer._panel.value and "<svg" in explorer._panel.value
    assert explorer.gradient["y"] == pytest.approx(
        explorer._state.graph.run({"y": 0.1 + 1e-90j})["q39"].imag / 1e-90, rel=1e-12
    )


def test_inputs_may_have_any_name():
    explorer = bp.explore(bp.Graph(L="self**2 + graph*step"), **{"self": 2.0, "graph": 1.0, "step": 3.0})
    explorer.set(**{"self": 3.0})
    assert explorer.trace["L"] == 12


def test_an_error_is_shown_and_the_last_good_state_stays():
    explorer = bp.explore(bp.Graph(L="log(x)"), x=0.5)
    svg = explorer.svg
    explorer._fields["x"].value = -1.0
    assert "ValueError: Graph.forward: line L = log(x) gives nan at x = -1" in explorer._panel.value
    assert explorer.numbers == {"x": 0.5} and explorer.svg == svg and svg in explorer._panel.value
    with pytest.raises(ValueError, match="gives nan"):
        explorer.set(x=-2.0)
    assert explorer.numbers == {"x": 0.5}
    explorer._fields["x"].value = 2.0
    assert "ValueError" not in explorer._panel.value and explorer.gradient["x"] == 0.5


def test_any_error_of_a_callback_is_shown_escaped(explorer, monkeypatch):
    def broken(**changes):
        raise RuntimeError("<script>alert('$x$')</script>")

    monkeypatch.setattr(explorer, "_change", broken)
    explorer._sliders["w"].value = 40
    assert "RuntimeError: &lt;script&gt;" in explorer._panel.value and "<script>" not in explorer._panel.value


@pytest.mark.parametrize("change, message", [
    (lambda e: e.set(q=1), "'q': it is not in this graph"),
    (lambda e: e.set(w=float("nan")), "w must be finite"),
    (lambda e: e.set(w=[1.0, 2.0]), "w must be one number"),
    (lambda e: e.set(wrt="q"), "no quantity 'q'"),
    (lambda e: setattr(e, "step", 99), "step must be a whole number from 0 to 6"),
    (lambda e: setattr(e, "step", 1.5), "step must be a whole number"),
    (lambda e: setattr(e, "output", "w"), "'w' is not a line"),
])  # fmt: skip
def test_changes_in_code_that_are_refused(explorer, change, message):
    before = (explorer.numbers, explorer.wrt, explorer.step, explorer.latex)
    with pytest.raises(ValueError, match=message):
        change(explorer)
    assert (explorer.numbers, explorer.wrt, explorer.step, explorer.latex) == before


def test_what_explore_refuses(neuron):
    with pytest.raises(TypeError, match="expected a Graph, found dict"):
        bp.explore(NEURON)
    with pytest.raises(ValueError, match="no number for y"):
        bp.explore(neuron, x=1, w=1, b=1)
    with pytest.raises(ValueError, match="L is the output itself; choose wrt among w, x, b, y, z, a"):
        bp.explore(neuron, **AT, wrt="L")
    with pytest.raises(ValueError, match="no chain from L to c"):
        bp.explore(bp.Graph(q="c + 1", L="x + 1"), c=1, x=1, wrt="c")


def test_without_a_kernel_it_is_a_picture_with_a_short_text(explorer):
    bundle = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == "explore(dL/dw at w=-0.4, x=1.5, b=0.2, y=1)"
    assert bundle["image/png"].startswith("iVBORw0KGgo") and "application/vnd.jupyter.widget-view+json" in bundle


# --- in a real kernel ---------------------------------------------------------------------------------------------------


class Kernel:
    """A kernel with a page's side of the widget protocol: keeps every model's state, moves a control, collects what comes back."""

    def __init__(self):
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.models = {}

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()

    def collect(self, request):
        """Everything the kernel says about a request, until it is idle again; updates are put into `models`."""
        said, deadline = [], time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                message = self.client.get_iopub_msg(timeout=1)
            except queue.Empty:
                continue
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return said
            data = content.get("data", {})
            if kind == "comm_open":
                self.models[content["comm_id"]] = dict(data["state"])
            elif kind == "comm_msg" and data.get("method") == "update":
                self.models[content["comm_id"]] |= data["state"]
            said.append((kind, content))
        raise TimeoutError("the kernel did not become idle")

    def run(self, code):
        return self.collect(self.client.execute(code))

    def move(self, model, **state):
        content = {"comm_id": model, "data": {"method": "update", "state": state, "buffer_paths": []}}
        message = self.client.session.msg("comm_msg", content)
        self.client.shell_channel.send(message)
        return self.collect(message["header"]["msg_id"])


@pytest.fixture
def kernel():
    kernel = Kernel()
    yield kernel
    kernel.close()


@pytest.mark.filterwarnings("ignore")
def test_moving_a_slider_in_a_real_kernel(kernel):
    said = kernel.run(f"import backproplab as bp\ne = bp.explore(bp.Graph({json.dumps(NEURON)}), **{AT!r}, wrt='w')")
    assert not [content for kind, content in said if kind in ("error", "stream")]
    slider = next(
        key
        for key, state in kernel.models.items()
        if state.get("_model_name") == "IntSliderModel" and state["value"] == -8
    )
    panel = next(key for key, state in kernel.models.items() if state.get("_model_name") == "HTMLMathModel")
    said = kernel.move(slider, value=50)
    expected = by_hand(2.5)
    updates = [c for k, c in said if k == "comm_msg" and c["comm_id"] == panel and c["data"]["method"] == "update"]
    assert len(updates) == 1
    assert not [kind for kind, _ in said if kind in ("stream", "error", "display_data")]
    html = kernel.models[panel]["value"]
    svg = re.search(r"<svg.*?</svg>", html)[0]
    assert f"{expected['a']:.4g}" in texts(svg)
    assert f"∂a/∂z = {expected['da/dz']:.4g}" in texts(svg)
    assert f"{expected['dL/dw']:.6g}" in html
    said = kernel.run("print(repr(e.gradient['w']))")
    printed = next(content["text"] for kind, content in said if kind == "stream")
    assert float(printed) == pytest.approx(expected["dL/dw"], rel=1e-13)
