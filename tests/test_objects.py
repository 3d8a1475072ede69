"""What is handed out: pickled and copied it is the same, and whoever writes into it changes nothing else."""

import copy
import pickle

import numpy as np
import pytest
import sympy as sp
from conftest import AT, NEURON

import backproplab as bp
from backproplab.functions.rows import Function, Operation, function_row

X, Y = np.array([[0.5, -1.0], [1.5, 0.2], [0.3, 0.4]]), np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
LABELS = np.array([0, 1, 1])


def network(loss="squared_error", output="sigmoid", hidden="tanh", **options):
    return bp.Network([2, 3, 2], [hidden, output], loss, seed=1, **({"l2": 0.1} | options))


def graph_with_formulas():
    graph = bp.Graph(u="max(x, gelu(x), 0.5)", v="logsumexp(u, x) + abs(x)", L="softplus(v)**2 / silu(x)")
    for term in graph.terms():
        _ = term.formula, term.line.formula, term.line.latex
    return graph.with_numbers(x=0.7)


def of_graph(make):
    graph = bp.Graph(NEURON)
    return make(graph, graph.forward(**AT))


def of_network(make, **options):
    net = network(**options)
    return make(net, net.forward(X, LABELS if net.loss_name == "cross_entropy" else Y))


def asked(derivation):
    _ = derivation.latex
    return derivation


OBJECTS = {
    "a graph": lambda: bp.Graph(NEURON).with_numbers(**AT),
    "a graph that has been asked for its formulas": graph_with_formulas,
    "a graph of SymPy expressions": lambda: bp.Graph(u=sp.tanh(sp.Symbol("x")) + sp.Abs(sp.Symbol("y")), L="u**2"),
    "a unit graph": lambda: network("cross_entropy", "softmax").graph(X[0], 1),
    "a network": network,
    "a network in float32": lambda: network("cross_entropy", "softmax", "relu", dtype=np.float32, reduction="sum"),
    "a trace of a graph": lambda: of_graph(lambda graph, trace: trace),
    "a trace of a network": lambda: of_network(lambda net, trace: trace),
    "the terms of a graph": lambda: of_graph(lambda graph, trace: graph.terms(trace)),
    "the terms of a network": lambda: of_network(lambda net, trace: net.terms(trace), loss="binary_cross_entropy"),
    "paths": lambda: of_graph(lambda graph, trace: bp.paths(graph.terms(trace), "L", "w")),
    "a derivation": lambda: of_graph(lambda graph, trace: asked(graph.derive("w", trace))),
    "a derivation without numbers": lambda: asked(graph_with_formulas().derive("x")),
    "a derivation in matrices": lambda: of_network(lambda net, trace: asked(net.derive("W1", trace))),
    "a picture": lambda: of_graph(lambda graph, trace: bp.draw(graph.terms(trace), trace)),
    "a table": lambda: of_network(lambda net, trace: bp.table(trace)),
    "a check of a graph": lambda: bp.check_gradient(bp.Graph(NEURON), at=AT, claimed={"w": 0.1}),
    "a check of a network": lambda: bp.check_gradient(network(), X, Y),
    "a diagnosis of a graph": lambda: bp.diagnose({"w": 0.2157617}, bp.Graph(NEURON), at=AT),
    "a diagnosis of a network": lambda: bp.diagnose({"b1": np.zeros(3)}, network(), X, Y),
    "the tables": lambda: [bp.ACTIVATIONS, bp.LOSSES, bp.MISTAKES, bp.ACTIVATIONS["sigmoid"].slope],
    "an exercise with its replies": lambda: [bp.exercise("03.2"), bp.exercise("03.2").check("x")],
}  # fmt: skip


def shown(thing):
    """All that an object says of itself; arrays by their bytes."""
    if isinstance(thing, dict):
        return {name: shown(value) for name, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [shown(part) for part in thing]
    if isinstance(thing, np.ndarray):
        return (thing.dtype, thing.shape, thing.tobytes())
    if isinstance(thing, bp.Term):
        return [repr(thing), thing.latex, thing.line, thing.shortcut, shown(thing.value), thing.rule, thing.of_shape]
    if isinstance(thing, bp.Graph):
        return [repr(thing), thing._repr_latex_(), thing.numbers, shown(thing.terms()), shown(worked(thing))]
    if isinstance(thing, bp.Network):
        targets = LABELS if thing.loss_name == "cross_entropy" else Y
        return [repr(thing), shown(thing.parameters), thing.l2, thing.reduction, shown(thing.gradient(X, targets))]
    if hasattr(type(thing), "closed_form"):
        return [repr(thing), thing.latex, shown(thing.terms), shown(thing.value)]
    return [repr(thing), getattr(thing, "svg", None), getattr(thing, "_repr_html_", lambda: None)()]


def worked(graph):
    trace = graph.forward(**dict.fromkeys(graph.inputs, 0.5) | graph.numbers)
    return bp.backpropagate(graph.terms(trace), graph.output)


@pytest.mark.parametrize("again", [
    lambda thing: pickle.loads(pickle.dumps(thing)), lambda thing: pickle.loads(pickle.dumps(thing, protocol=2)), copy.deepcopy, copy.copy,
], ids=["pickled", "in an old protocol", "deep copy", "copy"])  # fmt: skip
@pytest.mark.parametrize("name", OBJECTS)
def test_pickled_or_copied_it_is_the_same(name, again):
    thing = OBJECTS[name]()
    assert shown(again(thing)) == shown(thing)


@pytest.mark.parametrize("make", [OBJECTS["a graph that has been asked for its formulas"], OBJECTS["a derivation"]])
def test_what_was_pickled_goes_on_working(make):
    thing = pickle.loads(pickle.dumps(make()))
    graph = thing if isinstance(thing, bp.Graph) else bp.Graph(NEURON)
    assert bp.check_gradient(graph, at=graph.numbers or AT).verdict == "agree"
    derivation = thing if not isinstance(thing, bp.Graph) else graph.derive("x", graph.forward())
    assert float(derivation.closed_form.subs(derivation.trace)) == pytest.approx(derivation.value, rel=1e-12)


def test_a_row_of_a_table_stays_the_same_row():
    for table in (bp.ACTIVATIONS, bp.LOSSES, bp.MISTAKES):
        for row in table.values():
            assert pickle.loads(pickle.dumps(row)) is row and copy.deepcopy(row) is row


def test_terms_are_equal_when_they_are_the_same_object():
    net = network()
    trace = net.forward(X, Y)
    terms, others = net.terms(trace), net.terms(trace)
    assert all((one == other) == (one is other) for one in terms + others for other in terms + others)
    assert len(set(terms + others)) == 2 * len(terms) and terms.index(terms[4]) == 4


# --- the caller's own ---------------------------------------------------------------------------------------------------


def arrays(thing):
    """Every array in a thing that was handed out."""
    if isinstance(thing, dict):
        thing = list(thing.values())
    if isinstance(thing, (list, tuple)):
        return [array for part in thing for array in arrays(part)]
    return [thing.value] if isinstance(thing, bp.Term) else [thing]


@pytest.mark.parametrize("hidden", ["tanh", "identity", "relu"])
@pytest.mark.parametrize("hand_out", [
    lambda net, given: net.parameters, lambda net, given: net.forward(*given), lambda net, given: net.forward(given[0]), lambda net, given: net.predict(given[0]),
    lambda net, given: net.gradient(*given), lambda net, given: net.terms(net.forward(*given)),
    lambda net, given: bp.backpropagate(net.terms(net.forward(*given)), "L"), lambda net, given: net.in_double().parameters,
])  # fmt: skip
def test_writing_into_what_a_network_hands_out_changes_nothing_else(hand_out, hidden):
    net, given = network(output="identity", hidden=hidden), (X.copy(), Y.copy())
    before = shown([net, *given, net.forward(*given)])
    found = [array for array in arrays(hand_out(net, given)) if isinstance(array, np.ndarray)]
    for i, array in enumerate(found):
        others = [other.copy() for other in found[:i] + found[i + 1 :]]
        array -= 0.5
        assert all(np.array_equal(a, b) for a, b in zip(others, found[:i] + found[i + 1 :], strict=True))
    assert len(found) > 0 and shown([net, *given, net.forward(*given)]) == before


def test_a_term_and_the_trace_share_no_memory():
    net = network(output="identity")
    trace = net.forward(X, Y)
    terms = net.terms(trace)
    for array in (value for value in trace.values() if isinstance(value, np.ndarray)):
        array -= 0.5
    assert shown(terms) == shown(net.terms(net.forward(X, Y)))


def test_a_derivation_and_a_table_keep_their_own_numbers():
    net = network()
    trace = net.forward(X, Y)
    derivation, table = net.derive("W1", trace), bp.table(trace)
    before = shown([derivation, table])
    trace["W1"] -= 0.5
    trace["Z1"][:] = 0
    assert shown([derivation, table]) == before
    latex = derivation.latex
    derivation.value[:] = 0
    assert derivation.latex == latex
    graph = bp.Graph(NEURON)
    trace = graph.forward(**AT)
    derivation = graph.derive("w", trace)
    before = shown(derivation)
    trace["a"] = 99.0
    assert shown(derivation) == before


def test_a_graph_cannot_be_changed_through_what_it_hands_out():
    graph = bp.Graph(NEURON)
    before = shown(graph)
    graph.lines["z"] = "w"
    graph.lines.clear()
    graph.terms().clear()
    graph.with_numbers(**AT).numbers["w"] = 99
    assert shown(graph) == before


def test_parameters_are_set_as_a_whole():
    net = network()
    before = shown(net)
    parameters = net.parameters
    parameters["W1"] -= 0.5
    assert shown(net) == before
    net.parameters = parameters
    assert np.array_equal(net.parameters["W1"], parameters["W1"]) and shown(net) != before
    parameters["W1"] += 99
    assert not np.array_equal(net.parameters["W1"], parameters["W1"])


def test_a_row_that_is_replaced_is_replaced_everywhere(monkeypatch):
    """A learner corrects the cell that defines an activation, and runs it again."""
    for power in (3, 2):
        row = function_row(
            "mine", r"\operatorname{mine}", lambda z, p=power: z**p, lambda z, p=power: p * z ** (p - 1),
            lambda z, p=power: z**p, lambda z, p=power: p * z ** (p - 1),
        )  # fmt: skip
        monkeypatch.setitem(bp.ACTIVATIONS, "mine", row)
        net = network(hidden="mine")
        assert net.graph(X[0], Y[0]).forward()["L"] == pytest.approx(net.loss(X[0], Y[0]), rel=1e-13)
        for witness in ("complex step", "50 digits"):
            assert bp.check_gradient(net, X, Y, witness=witness).verdict == "agree"
        assert shown(copy.deepcopy(net)) == shown(net) == shown(pickle.loads(pickle.dumps(net)))
    with pytest.raises(ValueError, match="'mine' cannot be the name of a line: it is reserved"):
        bp.Graph(mine="x")
    with pytest.raises(ValueError, match="the slope of odd must be called odd'"):
        Function("odd", *[np.sin] * 2, slope=Operation("even", np.cos, np.cos))
    with pytest.raises(ValueError, match="the slope of odd must be called odd', found None"):
        Function("odd", *[np.sin] * 2)
