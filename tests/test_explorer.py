"""The explorer in Python: what it refuses, how it keeps its state, what it says to its page; then in a real kernel."""

import json
import math
import os
import queue
import sys
import time

import numpy as np
import pytest
from conftest import AT, NEURON
from jupyter_client.manager import KernelManager

import backproplab as bp
from backproplab.explorers import GraphExplorer, WideExplorer, life
from backproplab.pictures import plots

ROUNDS = int(os.environ.get("BACKPROPLAB_SOAK", "1"))


def by_hand(w, x=1.5, b=0.2, y=1.0):
    """The test's own neuron."""
    z = w * x + b
    a = 1 / (1 + math.exp(-z))
    trace = {"w": w, "x": x, "b": b, "y": y, "z": z, "a": a, "L": (y - a) ** 2 / 2}
    back = {"L": 1.0, "a": a - y, "y": y - a, "z": (a - y) * a * (1 - a)}
    return trace, back | {"w": back["z"] * x, "x": back["z"] * w, "b": back["z"]}


@pytest.fixture
def explorer(neuron):
    return bp.explore(neuron, **AT, wrt="w")


def answers(explorer, message):
    """What the kernel's side answers to a message of the page."""
    said = []
    explorer.send = said.append
    explorer._heard(None, message, [])
    return said


def test_numbers_are_set_and_read(explorer):
    explorer.set(w=3.0, wrt="b")
    trace, gradient = by_hand(3.0)
    assert explorer.trace == pytest.approx(trace, rel=1e-14)
    assert explorer.gradient == pytest.approx(gradient, rel=1e-13)
    assert explorer.wrt == "b" and explorer.numbers == AT | {"w": 3.0}
    shown = {"numbers": explorer.numbers, "output": "L", "wrt": "b", "step": 6}
    assert {name: explorer.state[name] for name in shown} == shown


def test_choosing_the_quantity_and_the_output(explorer):
    explorer.wrt = "z"
    explorer.output = "a"
    assert explorer.wrt == "z" and explorer.steps == 5 and explorer.step == 5
    assert explorer.gradient["w"] == pytest.approx(by_hand(-0.4)[0]["a"] * (1 - by_hand(-0.4)[0]["a"]) * 1.5, rel=1e-14)
    explorer.output = "L"
    explorer.wrt = "y"
    explorer.output = "z"
    assert explorer.wrt in ("w", "x", "b")


def test_inputs_may_have_any_name():
    explorer = bp.explore(bp.Graph(L="self**2 + graph*nudge"), **{"self": 2.0, "graph": 1.0, "nudge": 3.0})
    explorer.set(**{"self": 3.0})
    assert explorer.trace["L"] == 12
    for name in ("wrt", "output", "step", "predict", "rate", "parameters", "example", "blind"):
        with pytest.raises(ValueError, match="it is reserved"):
            bp.Graph(L=f"2*{name}")


@pytest.mark.parametrize("change, message", [
    (lambda e: e.set(q=1), "'q': it is not in this graph"), (lambda e: e.set(w=float("nan")), "w must be finite"), (lambda e: e.set(w=[1.0, 2.0]), "w must be one number"),
    (lambda e: e.set(wrt="q"), "'q' has no path to it, or is no quantity"), (lambda e: setattr(e, "step", 99), "step must be a whole number from 0 to 6"),
    (lambda e: setattr(e, "step", 1.5), "step must be a whole number"), (lambda e: setattr(e, "output", "w"), "'w' is not a line"), (lambda e: e.set(b=1e301), "sliders reach to 1e300"),
    (lambda e: e.set(y=1.2e200), "line L = .* gives inf"), (lambda e: e.set(step=7, w=2.0), "step must be"), (lambda e: e.set(rate=-1.0), "rate must be above 0"), (lambda e: e.set(parameters=[]), "at least one"), (lambda e: e.set(parameters=["z"]), "'z' is no input"),
    (lambda e: e.set(example=1), "a row from 0 to 0"), (lambda e: setattr(e, "through", "x"), "one of 'paths', 'delta'"), (lambda e: setattr(e, "nudge", 0.0), "nudge must be other than 0"), (lambda e: e.update(0), "times must be"),
    (lambda e: setattr(e, "wrt", "L"), "'L' is the output itself"),
])  # fmt: skip
def test_changes_in_code_that_are_refused(explorer, change, message):
    before = (explorer.numbers, explorer.wrt, explorer.step, explorer.output, explorer.state, explorer.still.svg)
    with pytest.raises(ValueError, match=message):
        change(explorer)
    assert (
        explorer.numbers,
        explorer.wrt,
        explorer.step,
        explorer.output,
        explorer.state,
        explorer.still.svg,
    ) == before
    explorer.set(w=1.0)
    assert explorer.numbers["w"] == 1.0


def test_what_explore_refuses(neuron):
    net = bp.Network([2, 3, 2], ["tanh", "sigmoid"])
    for call, error, message in (
        (lambda: bp.explore(NEURON), TypeError, "expected a Graph or a Network, found dict"),
        (lambda: bp.explore(neuron, x=1, w=1, b=1), ValueError, "no number for y"),
        (lambda: bp.explore(neuron, **AT, wrt="L"), ValueError, "'L' is the output itself; .* w, x, b, y, z, a"),
        (lambda: bp.explore(neuron, 1.5), TypeError, "a graph's numbers are given by name"),
        (lambda: bp.explore(bp.Graph(q="c + 1", L="x + 1"), c=1, x=1, wrt="c"), ValueError, "'c' has no path"),
        (lambda: bp.explore(bp.Graph(L="2 + 1")), ValueError, "no line uses a name"),
        (lambda: bp.explore(net), TypeError, "of a network give its examples too"),
        (lambda: bp.explore(net, [1, 2], [1, 0], w=3), TypeError, "brings its own numbers; found w"),
        (
            lambda: bp.explore(bp.Graph(L=" + ".join(f"x{i}" for i in range(301)))),
            ValueError,
            "301 edges, more than the 300",
        ),
    ):
        with pytest.raises(error, match=message):
            call()


def test_a_network_that_is_too_large_for_units_is_shown_in_heat_cells():
    wide = bp.explore(bp.Network([9, 20, 2], ["tanh", "sigmoid"]), [0.0] * 9, [1.0, 0.0], wrt="W1_2_3")
    many = bp.explore(bp.Network([2, 3, 2], ["tanh", "sigmoid"]), [[1, 2]] * 65, [[1, 0]] * 65)
    few = bp.explore(bp.Network([2, 3, 2], ["tanh", "sigmoid"]), [[1, 2]] * 64, [[1, 0]] * 64)
    assert isinstance(wide, WideExplorer) and wide.wrt == "W1_2_3"
    assert isinstance(many, WideExplorer) and isinstance(few, GraphExplorer)


def test_one_example_of_a_network():
    net = bp.Network([2, 3, 2], ["tanh", "sigmoid"], seed=0)
    explorer = bp.explore(net, [0.5, -1.0], [1.0, 0.0], wrt="W1_2_1")
    right = net.gradient([[0.5, -1.0]], [[1.0, 0.0]])
    assert explorer.gradient["W1_2_1"] == pytest.approx(right["W1"][1, 0], rel=1e-12)
    assert explorer.steps == 10 and explorer.sheet["notes"] == []
    explorer.step = 1
    assert explorer.state["step"] == 1


def test_a_fused_loss_says_why_its_outputs_have_no_path():
    net = bp.Network([2, 3, 2], ["tanh", "softmax"], "cross_entropy", seed=0)
    (note,) = bp.explore(net, [0.5, -1.0], [1.0, 0.0]).sheet["notes"]
    assert "no path from it leads through a2_1, a2_2" in note and "fused=False" in note
    long = net.graph([0.5, -1.0], [1.0, 0.0], fused=False)
    explorer = bp.explore(long, wrt="W1_1_1")
    assert not [note for note in explorer.sheet["notes"] if "no path" in note] and "a2_1" in explorer.gradient
    short = bp.backpropagate(net.graph([0.5, -1.0], [1.0, 0.0]).terms(long.forward() | {}), "L")
    assert explorer.gradient["W1_1_1"] == pytest.approx(short["W1_1_1"], rel=1e-12)


def test_the_kernel_confirms_what_the_page_computes(explorer):
    trace, gradient = by_hand(2.0)
    state = explorer.state | {"numbers": AT | {"w": 2.0}, "step": 3}
    (answer,) = answers(explorer, {"turn": 7, "state": state, "numbers": {"trace": trace, "gradient": gradient}})
    assert answer["turn"] == 7 and answer["agrees"] is True
    assert explorer.numbers["w"] == 2.0 and explorer.step == 3
    wrong = gradient | {"w": 1.001 * gradient["w"]}
    (answer,) = answers(explorer, {"turn": 8, "state": state, "numbers": {"trace": trace, "gradient": wrong}})
    assert answer["agrees"] is False and answer["rounding"] is False


def test_at_a_kink_the_kernel_says_what_hangs_on_a_convention():
    explorer = bp.explore(bp.Graph(z="x*w", L="abs(z) + w**2"), x=0.0, w=1.0)
    for x, names in ((0.0, ["x", "z"]), (0.1, [])):
        explorer.set(x=x)
        numbers = {"trace": explorer.trace, "gradient": explorer.gradient}
        (answer,) = answers(explorer, {"turn": 1, "state": explorer.state, "numbers": numbers})
        assert answer["agrees"] is True and sorted(answer["kink"]) == names


def test_where_lines_cancel_page_and_kernel_differ_by_rounding():
    graph = bp.Graph(u="(x + 1e-9) * x", v="x * x", L="u - v - x * 1e-9")
    explorer = bp.explore(graph, x=0.7)
    gradient = explorer.gradient | {"x": explorer.gradient["x"] + 3e-16}
    (answer,) = answers(
        explorer, {"turn": 1, "state": explorer.state, "numbers": {"trace": explorer.trace, "gradient": gradient}}
    )
    assert answer["agrees"] or answer["rounding"]


# --- updates and batches ------------------------------------------------------------------------------------------------


def test_an_update_moves_all_parameters_at_once(explorer):
    explorer.rate = 2.0
    w, b, losses = -0.4, 0.2, [by_hand(-0.4)[0]["L"]]
    for _ in range(5):
        gradient = by_hand(w, b=b)[1]
        w, b = w - 2.0 * gradient["w"], b - 2.0 * gradient["b"]
        losses.append(by_hand(w, b=b)[0]["L"])
    explorer.update(3)
    explorer.update(2)
    assert explorer.numbers == pytest.approx({"w": w, "x": 1.5, "b": b, "y": 1.0}, rel=1e-13)
    assert explorer.losses == pytest.approx(losses, rel=1e-13) and explorer.state["losses"]
    explorer.rate = 0.5
    assert len(explorer.losses) == 6  # the way goes on
    explorer.set(w=1.0)
    assert explorer.losses == []  # these losses were of other numbers


def test_only_the_chosen_parameters_move(explorer):
    assert explorer.parameters == ["w", "b"]
    explorer.parameters = ["b", "x"]
    explorer.update()
    gradient = by_hand(-0.4)[1]
    moved = {"w": -0.4, "x": 1.5 - 0.1 * gradient["x"], "b": 0.2 - 0.1 * gradient["b"], "y": 1.0}
    assert explorer.numbers == pytest.approx(moved, rel=1e-13) and explorer.parameters == ["x", "b"]


def test_an_update_that_diverges_stops_at_the_last_finite_numbers():
    explorer = bp.explore(bp.Graph(L="w**4"), w=3.0)
    explorer.rate = 1.0
    with pytest.raises(
        ValueError, match=r"update 5 of 100 at rate 1: .*L = w\*\*4 gives inf.*the numbers are those before it"
    ):
        explorer.update(100)
    w = 3.0
    for _ in range(4):
        w -= 4 * w**3
    assert explorer.numbers["w"] == pytest.approx(w, rel=1e-12) and len(explorer.losses) == 5


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(
    "activations, loss", [(["tanh", "sigmoid"], "squared_error"), (["relu", "softmax"], "cross_entropy")]
)
def test_a_batch_is_updated_by_the_networks_own_gradient(reduction, activations, loss):
    net = bp.Network([2, 3, 2], activations, loss, l2=0.1, reduction=reduction, seed=1)
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(5, 2)), np.eye(2)[[0, 1, 1, 0, 1]]
    explorer = bp.explore(net, X, Y, wrt="W1_2_1")
    explorer.update(2)
    losses = [net.loss(X, Y)]
    for _ in range(2):
        gradient = net.gradient(X, Y)
        net.parameters = {name: value - 0.1 * gradient[name] for name, value in net.parameters.items()}
        losses.append(net.loss(X, Y))
    assert explorer.losses == pytest.approx(losses, rel=1e-12)
    assert explorer.numbers["W1_2_1"] == pytest.approx(net.parameters["W1"][1, 0], rel=1e-12)
    assert explorer.numbers["b2_2"] == pytest.approx(net.parameters["b2"][1], rel=1e-12)
    explorer.example = 3
    assert [explorer.numbers[name] for name in ("x_1", "x_2", "y_1")] == [*X[3], Y[3, 0]]
    row = net.forward(X[3], Y[3])
    assert explorer.trace["a1_2"] == pytest.approx(row["A1"][0, 1], rel=1e-12)
    assert len(explorer.losses) == 3  # another example is shown, nothing has moved
    explorer.set(x_1=2.5)
    explorer.example = 0
    explorer.example = 3
    assert explorer.numbers["x_1"] == 2.5 and explorer.losses == []


def test_the_kernel_confirms_the_gradient_of_a_batch():
    net = bp.Network([2, 2, 1], ["tanh", "sigmoid"], l2=0.1, seed=1)
    X, Y = np.array([[0.5, -1.0], [1.0, 2.0], [-0.3, 0.1]]), np.array([[1.0], [0.0], [1.0]])
    explorer = bp.explore(net, X, Y)
    gradient = net.gradient(X, Y)
    whole = {"W1_1_1": 0.0}
    for name in explorer.sheet["inputs"]:
        letter, *units = name.split("_")
        if letter[0] in "Wb":
            whole[name] = float(gradient[letter][tuple(int(unit) - 1 for unit in units)])
    numbers = {"trace": explorer.trace, "gradient": explorer.gradient, "totals": {"gradient": whole}}
    (answer,) = answers(explorer, {"turn": 1, "state": explorer.state, "numbers": numbers})
    assert answer["agrees"] is True
    numbers["totals"] = {"gradient": whole | {"W1_2_1": whole["W1_2_1"] * 1.0001}}
    (answer,) = answers(explorer, {"turn": 2, "state": explorer.state, "numbers": numbers})
    assert answer["agrees"] is False


@pytest.mark.parametrize("message", [
    {"turn": 1}, {"turn": 1, "state": {"numbers": {"w": "a"}}, "numbers": {}}, {"turn": 1, "state": {"numbers": {"q": 1.0}, "output": "L", "wrt": "w", "step": 0}, "numbers": {}},
    {"turn": 1, "state": {"numbers": {"w": 1.0}, "output": "<script>", "wrt": "w", "step": 0}, "numbers": {}},
    {"turn": 1, "state": {"rate": "1"}, "numbers": {}}, {"turn": 1, "state": {"losses": [1e999]}, "numbers": {}}, {"turn": 1, "state": {"rows": [[1.0]]}, "numbers": {}}, {"turn": 1, "state": {"parameters": ["q"]}, "numbers": {}},
])  # fmt: skip
def test_a_page_that_was_tampered_with_gets_an_answer_and_changes_nothing(explorer, message):
    before = explorer.state, explorer.numbers
    if "state" in message:
        message = message | {"state": explorer.state | message["state"]}
    (answer,) = answers(explorer, message)
    assert answer["turn"] == 1 and answer["error"]
    assert (explorer.state, explorer.numbers) == before


def test_without_a_kernel_it_is_a_picture_with_a_short_text(explorer):
    bundle, _ = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == "explore(dL/dw at w=-0.4, x=1.5, b=0.2, y=1)"
    assert bundle["image/png"].startswith("iVBORw0KGgo") and "application/vnd.jupyter.widget-view+json" in bundle


def test_a_still_shows_no_more_than_the_step_has_reached(explorer):
    explorer.step = 2
    early = explorer.still.svg
    assert "0.4013" in early and "0.1792" not in early and "stroke-dasharray" not in early and early.count(">?<") == 3
    explorer.step = 4
    assert "0.1792" in explorer.still.svg and "−0.5987" in explorer.still.svg and "0.2403" not in explorer.still.svg
    explorer.step = 6
    trace, gradient = by_hand(-0.4)
    whole = explorer.still.svg
    assert f"{gradient['w']:.6g}".replace("-", "−") in whole and f"{trace['a'] * (1 - trace['a']):.6g}" in whole
    assert whole.count('stroke-width="3"') == 3  # a tangent for each term


@pytest.mark.parametrize("slope", [0.3, -2, 5, -40])
@pytest.mark.parametrize("x", [-3.9, 0.1, 3.0])
def test_a_tangent_in_a_still_is_cut_at_the_frame_and_stays_a_tangent(slope, x):
    graph = bp.Graph(a=f"{slope}*x")
    trace = graph.forward(x=x)
    (term,) = graph.terms(trace)
    *_, tangent, _, point = plots._drawn(term, plots.plot(term, trace, lambda xs: slope * xs), "red", hidden=False)
    (x0, y0), (x1, y1) = tangent.points
    assert tangent.width == 3 and -(y1 - y0) / (x1 - x0) == pytest.approx(slope, rel=1e-9)
    assert y0 - slope * (point.x - x0) == pytest.approx(point.y, abs=1e-9)
    assert 0 <= x0 - plots.LEFT < x1 - plots.LEFT <= plots.WIDTH and all(0 <= y - plots.TOP <= plots.HEIGHT for y in (y0, y1))  # fmt: skip


def test_closing_frees_the_widget_and_its_layout(explorer):
    layout = explorer.layout
    explorer.close()
    assert explorer.comm is None and layout.comm is None


def test_an_explorer_takes_the_place_of_the_one_from_the_same_cell(neuron, monkeypatch):
    here = ["cell 1", "run 1"]
    monkeypatch.setattr(life, "_here", lambda: tuple(here))
    first, beside = bp.explore(neuron, **AT), bp.explore(neuron, **AT)
    here[:] = "cell 2", "run 2"
    other = bp.explore(neuron, **AT)
    here[:] = "cell 1", "run 3"
    again = bp.explore(neuron, **AT)
    assert [e._closed if hasattr(e, "_closed") else e.comm is None for e in (first, beside, other, again)] == [
        True,
        True,
        False,
        False,
    ]


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

    def run(self, code, cell=None):
        """Run code, in a cell of a notebook if it has an id."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        message = self.client.session.msg("execute_request", content, metadata={"cellId": cell} if cell else {})
        self.client.shell_channel.send(message)
        return self.collect(message["header"]["msg_id"])

    def say(self, model, content):
        """What a page sends; the answers to it."""
        message = self.client.session.msg(
            "comm_msg", {"comm_id": model, "data": {"method": "custom", "content": content}}
        )
        self.client.shell_channel.send(message)
        said = self.collect(message["header"]["msg_id"])
        return [c["data"]["content"] for k, c in said if k == "comm_msg" and c["data"]["method"] == "custom"]

    def printed(self, code):
        return "".join(content["text"] for kind, content in self.run(code) if kind == "stream")


@pytest.fixture
def kernel():
    kernel = Kernel()
    yield kernel
    kernel.close()


@pytest.mark.filterwarnings("ignore")
def test_a_page_and_its_kernel(kernel):
    said = kernel.run(f"import backproplab as bp\ne = bp.explore(bp.Graph({json.dumps(NEURON)}), **{AT!r}, wrt='w')")
    assert not [content for kind, content in said if kind in ("error", "stream")]
    model = next(key for key, state in kernel.models.items() if "sheet" in state)
    trace, gradient = by_hand(2.5)
    state = kernel.models[model]["state"] | {"numbers": AT | {"w": 2.5}}
    (answer,) = kernel.say(model, {"turn": 1, "state": state, "numbers": {"trace": trace, "gradient": gradient}})
    assert answer["agrees"] is True
    assert float(kernel.printed("print(repr(e.gradient['w']))")) == pytest.approx(gradient["w"], rel=1e-13)


COUNT = "import gc; gc.collect(); print(len(get_ipython().kernel.comm_manager.comms), int(open('/proc/self/statm').read().split()[1]) // 256)"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the memory of the kernel from /proc")
def test_soak_running_a_cell_again_leaves_nothing_behind(kernel):
    """Live comms, and the kernel's memory in MiB."""
    kernel.run(f"import backproplab as bp\nneuron, at = bp.Graph({json.dumps(NEURON)}), {AT!r}")
    counts = []
    for _ in range(5 if ROUNDS == 1 else 200):
        kernel.run("bp.explore(neuron, **at)", cell="the same")
        counts.append(tuple(map(int, kernel.printed(COUNT).split())))
    assert {comms for comms, _ in counts} == {counts[0][0]} and counts[0][0] >= 2
    half = len(counts) // 2
    assert counts[-1][1] - counts[half][1] <= 10, counts[:: max(1, half // 5)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the memory of the kernel from /proc")
def test_soak_moves_leave_nothing_behind(kernel):
    kernel.run(f"import backproplab as bp\ne = bp.explore(bp.Graph({json.dumps(NEURON)}), **{AT!r}, wrt='w')")
    model = next(key for key, state in kernel.models.items() if "sheet" in state)
    state, sizes = kernel.models[model]["state"], []
    for turn in range(20 if ROUNDS == 1 else 5000):
        w = math.sin(turn)
        trace, gradient = by_hand(w)
        (answer,) = kernel.say(
            model,
            {
                "turn": turn,
                "state": state | {"numbers": AT | {"w": w}},
                "numbers": {"trace": trace, "gradient": gradient},
            },
        )
        assert answer["agrees"] is True and answer["turn"] == turn
        if turn % 10 == 9:
            sizes.append(tuple(map(int, kernel.printed(COUNT).split())))
    assert len({comms for comms, _ in sizes}) == 1
    assert sizes[-1][1] - sizes[len(sizes) // 2][1] <= 10
