"""Lines, trace, terms, walk and paths, against hand-worked, published and independently computed gradients."""

import math
import time
from dataclasses import replace

import hypothesis
import hypothesis.strategies as st
import mpmath
import numpy as np
import pytest
import sympy as sp
from conftest import AT, NEURON, PUBLISHED, random_graph

import backproplab as bp
from backproplab.notation import with_numbers
from backproplab.terms import above, below, terms_between, walk

SEEDS = range(60)
NESTED = sp.Symbol("x")
for _ in range(400):
    NESTED = sp.sin(NESTED, evaluate=False) + 1


def everything(graph, numbers):
    trace = graph.forward(**numbers)
    terms = graph.terms(trace)
    return trace, terms, bp.backpropagate(terms, graph.output)


# --- right answers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_gradients_by_walk_paths_and_closed_form(name):
    lines, numbers, published = PUBLISHED[name]
    graph = bp.Graph(lines)
    trace, terms, gradient = everything(graph, numbers)
    for wrt, value in published.items():
        close = pytest.approx(value, rel=1e-12, abs=1e-15 if value == 0 else 0)
        assert gradient[wrt] == close
        assert sum(path.value for path in bp.paths(terms, graph.output, wrt)) == close
        derivation = graph.derive(wrt, trace)
        assert float(derivation.formula.subs(trace)) == close
        assert float(derivation.closed_form.subs(numbers)) == close


def test_the_neuron_by_hand():
    trace, terms, gradient = everything(bp.Graph(NEURON), AT)
    z = -0.4 * 1.5 + 0.2
    a = 1 / (1 + math.exp(-z))
    delta = (a - 1.0) * a * (1 - a)
    by_hand = {"L": 1, "a": a - 1, "y": 1 - a, "z": delta, "w": delta * 1.5, "x": delta * -0.4, "b": delta}
    assert gradient == pytest.approx(by_hand, rel=1e-14)
    assert next(iter(gradient)) == "L"
    assert {name: type(value) for name, value in trace.items()} == dict.fromkeys(
        ["w", "x", "b", "y", "z", "a", "L"], float
    )
    assert [(t.of, t.wrt) for t in terms] == [("z", "w"), ("z", "x"), ("z", "b"), ("a", "z"), ("L", "y"), ("L", "a")]
    t = terms[3]
    assert (t.line, t.rule, t.shape, str(t.formula)) == ("sigmoid(z)", "times", (), "sigmoid'(z)")
    assert t.pull(2.0) == pytest.approx(2 * a * (1 - a), rel=1e-14)
    assert t.symbol == r"\frac{\partial a}{\partial z}"


def complex_step(graph, numbers):
    """The test's own witness, written out again."""
    return {
        name: graph.run(numbers | {name: numbers[name] + 1e-80j})[graph.output].imag / 1e-80 for name in graph.inputs
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_invariants_on_random_graphs(seed):
    graph, numbers = random_graph(seed)
    trace, terms, gradient = everything(graph, numbers)
    for term in terms:  # 1: each formula at 50 digits is the term's value
        exact = {name: sp.Float(value, 60) for name, value in trace.items()}
        addends = [abs(float(part.subs(exact).evalf(50))) for part in sp.Add.make_args(term.formula)]
        assert abs(float(term.formula.subs(exact).evalf(50) - sp.Float(term.value, 60))) <= 1e-12 * sum(addends), term
    magnitude = bp.backpropagate([replace(t, value=abs(t.value)) for t in terms], "L")
    witness = complex_step(graph, numbers)
    for name in graph.inputs:  # 2: paths = walk = complex step
        paths = bp.paths(terms, "L", name)
        assert abs(sum(path.value for path in paths) - gradient[name]) <= 1e-12 * magnitude[name]
        assert abs(witness[name] - gradient[name]) <= 1e-11 * magnitude[name], name
    assert bp.backpropagate(terms, "L") == gradient  # 4: twice the same, shapes, zero in zero out
    assert all(np.shape(gradient[name]) == np.shape(trace[name]) for name in gradient)
    assert all(term.pull(0.0) == 0 for term in terms)


def test_the_witness_sees_a_wrong_term():
    graph, numbers = random_graph(3)
    _, terms, gradient = everything(graph, numbers)
    spoiled = [replace(t, value=t.value * (1 + 1e-9 * (i == len(terms) - 1))) for i, t in enumerate(terms)]
    wrong = bp.backpropagate(spoiled, "L")
    witness = complex_step(graph, numbers)
    assert any(abs(wrong[n] - witness[n]) > 1e-11 * abs(gradient[n]) for n in graph.inputs)


@pytest.mark.parametrize("seed", range(10))
def test_the_same_operations_on_mpmath_numbers(seed):
    graph, numbers = random_graph(seed)
    trace = graph.forward(**numbers)
    with mpmath.workdps(50):
        exact = graph.run({name: mpmath.mpf(value) for name, value in numbers.items()})
        assert float(exact["L"]) == pytest.approx(trace["L"], rel=1e-10)
        assert isinstance(exact["L"], mpmath.mpf)


@pytest.mark.parametrize("seed", range(20))
def test_against_pytorch(seed):
    torch = pytest.importorskip("torch")
    graph, numbers = random_graph(seed)
    F = torch.nn.functional
    known = dict(
        sin=torch.sin,
        cos=torch.cos,
        tanh=torch.tanh,
        sigmoid=torch.sigmoid,
        softplus=F.softplus,
        gelu=F.gelu,
        silu=F.silu,
        exp=torch.exp,
    )
    known |= dict(
        log=torch.log,
        sqrt=torch.sqrt,
        relu=torch.relu,
        leaky_relu=F.leaky_relu,
        abs=torch.abs,
        identity=lambda z: z,
        max=torch.maximum,
        min=torch.minimum,
    )
    known["logsumexp"] = torch.logaddexp
    leaves = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in numbers.items()}
    scope = dict(leaves)
    for name, text in graph.lines.items():  # this test's own lines, never a learner's
        scope[name] = eval(text, {"__builtins__": {}}, known | scope)
    scope["L"].backward()
    gradient = everything(graph, numbers)[2]
    for name, leaf in leaves.items():
        expected = 0.0 if leaf.grad is None else float(leaf.grad)
        assert gradient[name] == pytest.approx(expected, rel=1e-9, abs=0)


def test_arrays_are_independent_evaluations(neuron):
    ws = np.linspace(-5, 5, 200)
    kept = ws.copy()
    trace, terms, gradient = everything(neuron, AT | {"w": ws})
    assert all(np.shape(value) == (200,) for value in [*trace.values(), *gradient.values(), *(t.value for t in terms)])
    for i in (0, 57, 199):
        one = everything(neuron, AT | {"w": ws[i]})[2]
        assert {name: value[i] for name, value in gradient.items()} == pytest.approx(one, rel=1e-14)
    trace["w"][0] = 99
    assert np.array_equal(ws, kept)


def test_a_chain_of_300_lines():
    graph = bp.Graph([("h0", "x")] + [(f"h{k}", f"sin(h{k - 1})") for k in range(1, 300)])
    trace, terms, gradient = everything(graph, dict(x=1.0))
    expected, h = 1.0, 1.0
    for _ in range(299):
        expected, h = expected * math.cos(h), math.sin(h)
    assert gradient["x"] == pytest.approx(expected, rel=1e-12)
    assert len(bp.paths(terms, graph.output, "x")) == 1
    with pytest.raises(ValueError, match="300 lines are nested, at most 50"):
        _ = graph.derive("x", trace).closed_form


def test_power_with_a_zero_base():
    gradient = everything(bp.Graph(L="x**3 + x**2 + x"), dict(x=0))[2]
    assert gradient["x"] == 1
    slope = bp.Graph(L="x**y").terms()[0].formula
    assert slope.subs({"x": 0, "y": 2}) == 0


@pytest.mark.parametrize("text, latex", [
    ("w*x + b", r"w \, x + b"),
    ("(y - a)**2 / 2", r"\frac{\left(y - a\right)^{2}}{2}"),
    ("a - (b - c)", r"a - \left(b - c\right)"),
    ("2*x*3", r"2 \, x \cdot 3"),
    ("-x**2", "-x^{2}"),
    ("(x + y) / (u*v)", r"\frac{x + y}{u \, v}"),
    ("1 / (1 + exp(-z))", r"\frac{1}{1 + \exp\left(-z\right)}"),
    ("x*x - x*x", r"x \, x - x \, x"),
    ("theta * y_hat", r"\theta \, \hat{y}"),
    ("W1_2_3*x_3 + b1_2", r"W^{(1)}_{2,3} \, x_{3} + b^{(1)}_{2}"),
    ("max(a, b, c)", r"\max\left(a, b, c\right)"),
    ("abs(x)", r"\left|x\right|"),
    ("x*-y", r"x \, \left(-y\right)"),
    ("(x**2)**3", r"\left(x^{2}\right)^{3}"),
    ("W1**2", r"\left(W^{(1)}\right)^{2}"),
    ("x*1e-7**2", r"x \, \left(1 \cdot 10^{-7}\right)^{2}"),
])  # fmt: skip
def test_a_line_is_shown_as_it_was_written(text, latex):
    graph = bp.Graph(L=text)
    assert graph.latex_line("L") == f"L = {latex}"
    assert graph.lines["L"] == text


def test_a_line_with_its_numbers(neuron):
    trace = neuron.forward(**AT)
    assert neuron.latex_line("z", trace) == r"z = w \, x + b = \left(-0.4\right) \cdot 1.5 + 0.2 = -0.4"


@pytest.mark.parametrize("make", [
    lambda: bp.Graph(NEURON), lambda: bp.Graph(list(NEURON.items())), lambda: bp.Graph(**NEURON),
    lambda: bp.Graph(z="w*x + b", a=bp.ACTIVATIONS["sigmoid"].symbolic(sp.Symbol("z")), L=(sp.Symbol("y") - sp.Symbol("a")) ** 2 / 2),
])  # fmt: skip
def test_lines_from_a_dict_a_list_keywords_or_sympy(make):
    gradient = everything(make(), AT)[2]
    assert gradient == pytest.approx(everything(bp.Graph(NEURON), AT)[2], rel=1e-14)


def test_sympy_lines():
    x, y = sp.symbols("x y")
    graph = bp.Graph(
        p=sp.tanh(y * x) + sp.Abs(y) + sp.Max(x, 2 * y) - 3 / x + sp.exp(-x) / 2, L=sp.Symbol("p") ** -2 + sp.pi
    )
    assert graph.inputs == ("x", "y")
    trace, _, gradient = everything(graph, dict(x=0.5, y=-1.5))
    p = math.tanh(-0.75) + 1.5 + 0.5 - 6 + math.exp(-0.5) / 2
    assert trace["L"] == pytest.approx(p**-2 + math.pi, rel=1e-14)
    slope = (1 - math.tanh(-0.75) ** 2) * -1.5 + 1 + 12 - math.exp(-0.5) / 2
    assert gradient["x"] == pytest.approx(-2 * p**-3 * slope, rel=1e-12)


def test_numbers_as_defaults(neuron):
    ready = neuron.with_numbers(x=1.5, w=-0.4)
    assert ready.forward(b=0.2, y=1.0) == neuron.forward(**AT)
    assert ready.forward(b=0.2, y=1.0, w=2.0)["w"] == 2.0
    assert ready.numbers == {"x": 1.5, "w": -0.4} and neuron.numbers == {}
    ready.with_numbers(w=np.ones(2)).numbers["w"][0] = 99
    assert ready.with_numbers(w=np.ones(2)).forward(b=0, y=1)["w"][0] == 1


def test_names_are_read_as_python_reads_them():
    assert bp.Graph(L="µ*x").forward(µ=2, x=3)["L"] == 6


@pytest.mark.parametrize("text", ["9**(9**9 + x - x)", "2**(0*x + 1e9)"])
def test_constants_that_sympy_would_multiply_out_for_ever(text):
    """The line is computed in float64; its formula, which SymPy cannot hold, is refused."""
    start = time.monotonic()
    graph = bp.Graph(L=text)
    with pytest.raises(ValueError, match="the exponent of a power is at most 1000"):
        graph.derive("x")
    with pytest.raises(ValueError, match="gives inf"):
        graph.forward(x=1)
    assert time.monotonic() - start < 20  # not a measure of speed: without the refusal it does not end


def many(count, form="x{}", join=", "):
    return join.join(form.format(i) for i in range(count))


@pytest.mark.parametrize("text", [
    f"max({many(60)})", f"min({many(300)})", f"logsumexp({many(400)})", many(4000, join=" + "), many(99, "(x{0} + y{0} + z{0} + sin(u{0}))", "*"),
    "*".join(f"({many(30, f'x{i}_' + '{}', ' + ')})" for i in range(60)),
])  # fmt: skip
def test_long_lines_that_are_no_work(text):
    """Not a measure of speed: each of these took from ten seconds to minutes."""
    start = time.monotonic()
    graph = bp.Graph(L=text)
    at = {name: 0.5 + 0.0001 * i for i, name in enumerate(graph.inputs)}
    gradient = everything(graph, at)[2]
    for name in (graph.inputs[0], graph.inputs[-1]):
        slope = graph.run(at | {name: at[name] + 1e-80j})["L"].imag / 1e-80
        assert gradient[name] == pytest.approx(slope, rel=1e-10, abs=0)
    assert time.monotonic() - start < 60


@pytest.mark.parametrize("text, message", [
    (f"max({many(3000)})", "line 'L' is too much work: .* of its 3000 slopes alone take .* at most 250000: split it"), (f"logsumexp({many(3000)})", "is too much work"),
])  # fmt: skip
def test_lines_that_are_too_much_work_are_refused_with_the_count(text, message):
    with pytest.raises(ValueError, match=message):
        bp.Graph(L=text)


def test_a_division_that_is_zero_for_all_inputs():
    with pytest.raises(ValueError, match="gives inf"):
        bp.Graph(L="x / (y - y)").forward(x=1, y=1)
    with pytest.raises(ValueError, match="line 'L' has no formula: it divides by 0"):
        bp.Graph(L="x / (y - y)").derive("x")


@pytest.mark.parametrize("text, numbers, wrt, slope", [
    ("1/(1 + exp(-z))", dict(z=-400), "z", math.exp(-400)),
    ("x/(1 + x**2)", dict(x=1e100), "x", -1e-200),
    ("(x*y)**n", dict(x=0, y=1, n=2), "x", 0),
    ("(x*y)**n", dict(x=0, y=1, n=2), "n", 0),
    ("(x*y)**1.5", dict(x=0, y=2), "x", 0),
    ("x**150", dict(x=-1.1), "x", -150 * 1.1**149),
    ("x**y", dict(x=2, y=-3), "y", math.log(2) / 8),
    ("a/b/c*d", dict(a=1, b=2, c=4, d=3), "c", -3 / 32),
    ("(u + v)/(u - v)", dict(u=3, v=1), "v", 6 / 4),
    ("2**-x", dict(x=3), "x", -math.log(2) / 8),
    ("sigmoid(z)", dict(z=-600), "z", math.exp(-600)),
    ("sin(2*x)", dict(x=0.3), "x", 2 * math.cos(0.6)),
    ("exp(-3*x) + tanh(x/4)", dict(x=0.2), "x", -3 * math.exp(-0.6) + 0.25 / math.cosh(0.05) ** 2),
])  # fmt: skip
def test_slopes_that_a_careless_form_would_lose(text, numbers, wrt, slope):
    graph = bp.Graph(L=text)
    trace, terms, gradient = everything(graph, numbers)
    assert gradient[wrt] == pytest.approx(slope, rel=1e-13, abs=0)
    formula = next(term.formula for term in terms if term.wrt == wrt)
    limit = text == "(x*y)**n" and wrt == "n"  # 0**2 log 0, which SymPy leaves undefined
    assert limit or float(formula.subs({k: sp.Float(v, 60) for k, v in trace.items()}).evalf(30)) == pytest.approx(
        slope, rel=1e-13, abs=0
    )
    branch = text == "(x*y)**1.5"  # at the branch point of a root the complex step itself is not 0
    assert branch or bp.check_gradient(graph, at=numbers, claimed={wrt: slope}).verdict == "agree"


def test_sympy_symbols_with_assumptions_are_names_too():
    x = sp.Symbol("x", positive=True)
    assert everything(bp.Graph(L=x**2 + sp.Symbol("x", real=True)), dict(x=3))[2]["x"] == 7


def test_a_softmax_line_knows_its_slope_from_its_value():
    """exp(z1 - logsumexp(z1, z2)) is a share: its own slope is a (1 - a); no other exponential takes that form."""
    graph = bp.Graph(
        a="exp(z1 - logsumexp(z1, z2))", c="exp(z1 - logsumexp(z2, b))", d="exp(2*z1 - logsumexp(z1, z2))", L="a*c*d"
    )
    at = graph.forward(z1=0.3, z2=-1.1, b=0.4)
    a = sp.Symbol("a")
    shortcuts = {term.edge: term.shortcut for term in graph.terms()}
    assert shortcuts["a", "z1"] == a * (1 - a)
    assert [edge for edge, shortcut in shortcuts.items() if shortcut is not None] == [("a", "z1"), ("a", "z2")]
    for term in graph.terms(at)[:2]:
        assert abs(float(term.shortcut.subs(at).evalf()) - term.value) < 1e-15


@pytest.mark.parametrize("line, template", [
    ("relu(z)", r"\operatorname{relu}'\left(-1.1\right)"),
    ("sigmoid(z) * 2", r"2 \cdot \sigma'\left(-1.1\right)"),
    ("z**3", r"3 \cdot \left(-1.1\right)^{2}"),
    ("logsumexp(z, 0)", r"\operatorname{softmax}_{z}\left(-1.1, 0\right)"),
    ("log(z**2)", r"\frac{2}{\left(-1.1\right)}"),
])  # fmt: skip
def test_a_number_stands_in_one_pair_of_parentheses(line, template):
    graph = bp.Graph(L=line)
    (term,) = graph.terms()
    assert with_numbers(term.formula, {"z": -1.1}) == template


def test_shortcuts_are_the_slope():
    for name, row in bp.ACTIVATIONS.items():
        (term,) = bp.Graph(a=f"{name}(z)").terms()
        assert (term.shortcut is None) == (row.slope_from_value is None)
        for z in (-1.5, 0.25, 2.0):
            at = {"z": sp.Float(z, 40), "a": row.formula(sp.Float(z, 40))}
            if term.shortcut is not None:
                assert abs((term.shortcut.subs(at) - term.formula.subs(at)).evalf(30)) < 1e-30


def test_a_constant_line_is_put_into_the_closed_form():
    graph = bp.Graph(c="2", d="c*3", L="d*x**2", after="L + 1")
    x = sp.Symbol("x")
    assert graph.derive("x", output="L").closed_form == 12 * x
    assert graph.derive("x").formula.free_symbols == {x, sp.Symbol("d")}


def test_closed_form_of_three_levels():
    graph = bp.Graph(u="x**2", v="sin(u)", w="v*3", L="w**2")
    x = sp.Symbol("x")
    assert sp.simplify(graph.derive("x").closed_form - (9 * sp.sin(x**2) ** 2).diff(x)) == 0


def test_names_that_sympy_would_read_as_something_else():
    graph = bp.Graph(E="(S - N)**2 / I", Q="E + pi*beta")
    numbers = dict(S=3, N=1, I=2, pi=5, beta=7)
    trace, terms, gradient = everything(graph, numbers)
    assert (trace["E"], trace["Q"], gradient["N"], gradient["pi"]) == (2, 37, -2, 7)
    assert float(terms[0].formula.subs(trace).evalf(50)) == 2


def test_slopes_show_their_name_and_evaluate_to_any_precision(neuron):
    slope = neuron.terms()[3].formula
    assert sp.latex(slope) == r"\sigma'\left(z\right)"
    value = slope.subs({"z": sp.Rational(-2, 5)}).evalf(50)
    with mpmath.workdps(60):
        assert (
            abs(mpmath.mpf(str(value)) - 1 / (2 + mpmath.exp(0.4 * mpmath.mpf(1)) + mpmath.exp(-0.4 * mpmath.mpf(1))))
            < 1e-15
        )
    assert neuron.terms()[3].shortcut == sp.Symbol("a") * (1 - sp.Symbol("a"))


def test_one_operation_list_without_waste(neuron):
    assert len(neuron._forward.rows) == 6
    assert len(neuron._slopes.rows) <= 2 * len(neuron._forward.rows)


# --- no path, too many paths --------------------------------------------------------------------------------------------


def test_no_path():
    graph = bp.Graph(u="x**2", q="c + 1", L="u + 3")
    trace, terms, gradient = everything(graph, dict(x=2, c=1))
    assert gradient["c"] == gradient["q"] == 0.0
    assert bp.paths(terms, "L", "c") == []
    with pytest.raises(
        ValueError, match="no chain from L to c: c reaches only q, and L uses none of them; the derivative is 0"
    ):
        graph.derive("c", trace)


def test_too_many_paths_are_counted_and_refused():
    lines = [
        line
        for k in range(1, 31)
        for line in ((f"a{k}", f"sin(h{k - 1})"), (f"b{k}", f"cos(h{k - 1})"), (f"h{k}", f"a{k}*b{k}"))
    ]
    graph = bp.Graph(lines)
    _, terms, gradient = everything(graph, dict(h0=0.5))
    with pytest.raises(ValueError, match=f"{2**30} paths .* limit of 10000.*backpropagate"):
        bp.paths(terms, "h30", "h0")
    assert gradient["h0"] == pytest.approx(complex_step(graph, dict(h0=0.5))["h0"], rel=1e-12)
    assert len(bp.paths(terms, "h3", "h0", limit=8)) == 8
    with pytest.raises(ValueError, match="8 paths"):
        bp.paths(terms, "h3", "h0", limit=7)


def test_terms_between_lie_on_a_path_from_the_loss_to_the_name():
    graph = bp.Graph(p="x*y", q="p + u", dead="x**2", other="v + 1", L="q*p + other")
    terms = graph.terms()

    def between(output, wrt):
        return [term.edge for term in terms_between(terms, output, wrt)]

    assert between("L", "x") == [("L", "q"), ("L", "p"), ("q", "p"), ("p", "x")]
    assert between("L", "p") == [("L", "q"), ("L", "p"), ("q", "p")]
    assert between("L", "v") == [("L", "other"), ("other", "v")] and between("q", "v") == [] == between("L", "L")
    assert list(below(terms, "q")) == ["q", "u", "p", "y", "x"]
    assert list(above(terms, "x")) == ["x", "p", "q", "dead", "L"]


def test_a_path_shows_its_names_from_the_loss_down():
    graph = bp.Graph(u="x**2", v="sin(x)", L="u*v")
    paths = bp.paths(graph.terms(), "L", "x")
    assert [repr(path) for path in paths] == ["Path(L <- u <- x)", "Path(L <- v <- x)"]
    assert repr(bp.paths(graph.terms(), "u", "u")) == "[Path()]"


def test_one_walk_with_another_pull_and_another_way_to_add(neuron):
    trace = neuron.forward(**AT)
    terms = neuron.terms(trace)
    gradient = bp.backpropagate(terms, "L")
    assert walk(terms, {"L": 1.0}) == {name: gradient[name] for name in below(terms, "L")}
    assert walk(terms, {"a": 1.0}).keys() == {"a", "z", "b", "x", "w"}
    magnitude = walk(terms, {"L": 1.0}, lambda term, d: abs(term.value) * d)
    assert magnitude == pytest.approx({name: abs(gradient[name]) for name in magnitude}, rel=1e-15)
    twice = bp.Graph(L="x*y + x").terms(dict(x=2.0, y=3.0, L=8.0))
    assert walk(twice, {"L": 1.0}, add=max) == {"L": 1.0, "y": 2.0, "x": 4.0}


# --- bad input ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lines, error, message", [
    (dict(z="s*w", s="x + y"), ValueError, "line 'z' uses 's' before it is defined"),
    (dict(z="z + 1"), ValueError, "line 'z' uses 'z' before it is defined"),
    ([("z", "x"), ("z", "y")], ValueError, "'z' is defined twice"),
    (dict(z="foo(x)"), ValueError, "'foo' is not a function that a line can call; known are exp, log"),
    (dict(z="sigmoid(x, y)"), ValueError, "sigmoid takes one argument, found 2"),
    (dict(z="sigmoid + 1"), ValueError, "sigmoid is a function: expected"),
    (dict(sigmoid="x"), ValueError, "'sigmoid' cannot be the name of a line: it is reserved"),
    (dict(wrt="x"), ValueError, "'wrt' cannot be the name"),
    (dict(z="wrt + 1"), ValueError, "'wrt' cannot be the name"),
    (dict(z=""), ValueError, "found the end of the line"),
    (dict(z="x + "), ValueError, "expected a number, a name or '\\(', found the end"),
    (dict(z="(x"), ValueError, "expected '\\)', found the end"),
    (dict(z="x y"), ValueError, "expected an operator or the end of the line, found 'y'"),
    (dict(z="x^2"), ValueError, "for powers write \\*\\*"),
    (dict(z="1e999"), ValueError, "too large for float64"),
    (dict(z=None), TypeError, "expected text or a SymPy expression, found NoneType"),
    (dict(z=sp.Function("f")(sp.Symbol("x"))), ValueError, "f is not a function of a line"),
    (dict(z=sp.oo), ValueError, "it divides by 0, is infinite"),
    (dict(z="x / 0"), ValueError, "line 'z' cannot be read: it divides by 0"),
    (dict(z="(-1.23)**0.5 * x"), ValueError, "a constant in it is nan"),
    (dict(z="x + 1e308**900"), ValueError, "a constant in it is inf"),
    (dict(z="*".join(["1e308**1000", "x"] * 40)), ValueError, "a constant in it is inf"),
    (dict(z="*".join(f"(x + {i})" for i in range(200))), ValueError, "a product has 200 factors, more than 100"),
    (dict(z=sum(sp.symbols("x1 x2")) + sp.Symbol("x_1")), ValueError, "'x1' and 'x_1' would look the same|'x_1' and 'x1'"),
    (dict(x_1="x1 + 1"), ValueError, "would look the same on paper"),
    ({" z": "x"}, ValueError, "' z' cannot be the name"),
    (dict(z=sp.Symbol("\n x")), ValueError, "cannot be the name"),
    (5, TypeError, "expected a dict or a list"),
    (dict(z=NESTED), ValueError, "nested too deeply"),
    (dict(z="x²"), ValueError, "'x²' is not a name: .* for powers write"),
    ("x*y", TypeError, r'a line needs a name, as in Graph\(L="x\*y"\)'),
    (dict(), ValueError, "no lines"),
    ([("z",)], TypeError, r"\(name, text\) pairs"),
    ([(1, "x")], TypeError, "must be text"),
    # hostile text: refused at once, nothing executed
    (dict(z="__import__('os').system('echo')"), ValueError, "means nothing here"),
    (dict(z="x.__class__"), ValueError, "means nothing here"),
    (dict(z="x[0]"), ValueError, "means nothing here"),
    (dict(z="lambda: 0"), ValueError, "."),
    (dict(z="eval(x)"), ValueError, "'eval' is not a function"),
    (dict(z="9**9**9"), ValueError, "exponent of a power is at most 1000"),
    (dict(z="9**9**9**9**9"), ValueError, "exponent of a power is at most 1000"),
    (dict(z="((2*x)**900)**900"), ValueError, "exponent of a power is at most 1000"),
    (dict(z="2**(1/0)"), ValueError, "exponent of a power is at most 1000"),
    (dict(z="(" * 10_000 + "x" + ")" * 10_000), ValueError, "nested more than 50 deep"),
    (dict(z="exp(" * 200 + "x" + ")" * 200), ValueError, "nested more than 50 deep"),
    (dict(z="x**" * 200 + "x"), ValueError, "nested more than 50 deep"),
    (dict(z="x+" * 50_000 + "x"), ValueError, "more than 50000"),
    ({"<script>": "x"}, ValueError, "'<script>' cannot be the name of a line"),
    ({"a b": "x"}, ValueError, "cannot be the name"),
    ({"_x": "x"}, ValueError, "cannot be the name"),
    (dict(z=sp.Symbol("<img src=x onerror=alert(1)>")), ValueError, "cannot be the name of the input"),
])  # fmt: skip
def test_lines_that_are_refused(lines, error, message):
    with pytest.raises(error, match=message):
        bp.Graph(lines)


def test_a_caret_stands_under_the_place():
    with pytest.raises(ValueError, match="cannot be read") as refused:
        bp.Graph(z="w*x + )")
    shown = str(refused.value).splitlines()
    assert shown[1].strip() == "w*x + )"
    assert shown[1][shown[2].index("^")] == ")"


@pytest.mark.parametrize("numbers, error, message", [
    (dict(x=1, w=1, b=1), ValueError, "no number for y; the inputs are w, x, b, y"),
    (AT | {"q": 1}, ValueError, "'q': it is not in this graph"),
    (AT | {"z": 1}, ValueError, "'z': it is computed by its line"),
    (AT | {"w": float("nan")}, ValueError, "w must be finite, found nan"),
    (AT | {"w": float("-inf")}, ValueError, "w must be finite, found -inf"),
    (AT | {"w": "3"}, TypeError, "w must be a real number or an array of them, found str '3'"),
    (AT | {"w": 1j}, TypeError, "w must be a real number .* found complex"),
    (AT | {"w": None}, TypeError, "found NoneType"),
    (AT | {"w": 10**400}, ValueError, "w must fit into float64"),
    (AT | {"w": [[1.0], [1.0, 2.0]]}, ValueError, "w must form one array, found rows of different lengths"),
    (AT | {"w": [1, "a"]}, TypeError, "w must hold real numbers"),
    (AT | {"w": sp.Symbol("q")}, TypeError, "w must be a real number"),
    (AT | {"w": np.array([1.0, np.nan])}, ValueError, "w must be finite, found nan"),
    (AT | {"w": np.zeros(3), "x": np.zeros(4)}, ValueError, r"do not broadcast to one shape: w \(3,\), x \(4,\)"),
])  # fmt: skip
def test_numbers_that_are_refused(neuron, numbers, error, message):
    with pytest.raises(error, match=message):
        neuron.forward(**numbers)
    with pytest.raises(error):
        neuron.with_numbers(**numbers).forward()


@pytest.mark.parametrize("number", [1, np.float32(1), np.int64(1), True, sp.Rational(1), np.array(1.0)])
def test_numbers_of_other_kinds(number):
    assert bp.Graph(L="2*x").forward(x=number) == {"x": 1.0, "L": 2.0}


@pytest.mark.parametrize("text, x, message", [
    ("log(x)", 0, "line L = log\\(x\\) gives -inf at x = 0"),
    ("log(x)", -1, "gives nan at x = -1"),
    ("1 / x", 0, "gives inf at x = 0"),
    ("x / x", 0, "gives nan"),
    ("exp(x)", 1000, "gives inf at x = 1000"),
    ("sqrt(x)", -4, "gives nan"),
    ("x**0.5", -4, "gives nan"),
    ("max(x**2, sqrt(x))", -4, "gives nan"),
    ("max(sqrt(x), x**2)", -4, "gives nan"),
    ("min(x, log(x))", -4, "gives nan"),
])  # fmt: skip
def test_a_value_that_is_not_finite_names_line_and_numbers(text, x, message):
    with pytest.raises(ValueError, match=message):
        bp.Graph(L=text).forward(x=x)
    with pytest.raises(ValueError, match=message):
        bp.Graph(L=text).forward(x=np.array([0.5, x]))


def test_a_term_that_is_not_finite_names_the_term():
    graph = bp.Graph(L="sqrt(x)")
    with pytest.raises(ValueError, match=r"dL/dx = 1/\(2\*sqrt\(x\)\), a term of line L = sqrt\(x\), is inf at x = 0"):
        graph.terms(graph.forward(x=0))


def test_what_is_no_list_of_terms_or_no_trace_is_refused(neuron):
    trace = neuron.forward(**AT)
    for call in (
        lambda: bp.backpropagate(neuron, "L"),
        lambda: bp.paths(trace, "L", "w"),
        lambda: bp.draw(neuron),
        lambda: bp.draw(trace),
    ):
        with pytest.raises(TypeError, match="expected a list of terms"):
            call()
    with pytest.raises(TypeError, match="expected a trace"):
        neuron.terms(5)
    with pytest.raises(ValueError, match="do not broadcast to one shape"):
        neuron.terms(trace | {"x": np.ones(3), "w": np.ones(2)})
    with pytest.raises(TypeError, match="w must be a real number"):
        neuron.terms(trace | {"w": "0.4"})
    with pytest.raises(ValueError, match="no quantity 'q'"):
        bp.draw(neuron.terms(trace), trace, wrt="q")


def test_functions_of_several_arguments_take_one():
    graph = bp.Graph(L="max(x) + logsumexp(x) + min(x)")
    assert everything(graph, dict(x=0.5))[2]["x"] == 3


def test_unary_plus_and_minus():
    assert bp.Graph(L="+x - -x + -+-x").forward(x=2)["L"] == 6


def test_sympy_functions_by_name():
    graph = bp.Graph(a=sp.Function("sigmoid")(sp.Symbol("z")))
    assert graph.forward(z=0)["a"] == 0.5


def test_a_line_may_be_taken_as_given(neuron):
    given = neuron.run(AT | {"a": 0.25})
    assert (given["a"], given["L"]) == (0.25, 0.75**2 / 2)


def test_outputs_that_are_refused(neuron):
    trace = neuron.forward(**AT)
    terms = neuron.terms(trace)
    for call in (
        lambda: bp.backpropagate(terms, "w"),
        lambda: bp.paths(terms, "q", "w"),
        lambda: neuron.derive("w", trace, output="y"),
    ):
        with pytest.raises(ValueError, match="is not a line"):
            call()
    with pytest.raises(ValueError, match="no quantity 'q'"):
        neuron.derive("q", trace)
    with pytest.raises(ValueError, match="has no number yet"):
        bp.backpropagate(neuron.terms(), "L")
    with pytest.raises(ValueError, match="the trace lacks a, L"):
        neuron.terms({name: trace[name] for name in ("w", "x", "b", "y", "z")})


@hypothesis.given(st.text(st.sampled_from("wxyz0123456789.e+-*/(), \n\t'\"_sigmodexp<>[]{}^=∂σ"), max_size=40))
@hypothesis.settings(max_examples=400, deadline=None)
def test_any_text_is_read_or_refused_with_a_clear_error(text):
    try:
        graph = bp.Graph(L=text)
        trace = graph.forward(**dict.fromkeys(graph.inputs, 0.5))
        bp.draw(graph.terms(trace), trace) if graph.inputs else None
    except ValueError as error:
        assert "Graph" in str(error)
