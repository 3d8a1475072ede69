"""The readers of terms: derivation, picture, table and check. They show the terms, all of them, and nothing else."""

import math
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from conftest import AT, NEURON, random_graph

import backproplab as bp
from backproplab.notation import COLORS, latex_name, latex_number, number
from backproplab.paper import latex
from backproplab.pictures import files, shapes, template
from backproplab.pictures.layouts import along, layout, shared


def drawn(graph, numbers, **options):
    trace = graph.forward(**numbers)
    terms = graph.terms(trace)
    return bp.draw(terms, trace, bp.backpropagate(terms, graph.output), **options)


def texts(svg):
    """The texts of a picture, each as one string."""
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


# --- names and numbers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, latex", [
    ("a", "a"), ("w1", "w_{1}"), ("W1", "W^{(1)}"), ("z1_2", "z^{(1)}_{2}"), ("W1_2_3", "W^{(1)}_{2,3}"), ("b1_2", "b^{(1)}_{2}"),
    ("x_1", "x_{1}"), ("theta", r"\theta"), ("loss", r"\mathrm{loss}"), ("y_hat", r"\hat{y}"), ("w_out", r"w_{\mathrm{out}}"),
])  # fmt: skip
def test_names_in_latex(name, latex):
    assert latex_name(name) == latex


@pytest.mark.parametrize("value, plain, latex", [
    (-0.4, "-0.4", "-0.4"), (1.0, "1", "1"), (-0.0, "0", "0"), (0.123456789, "0.123457", "0.123457"),
    (1.5e-7, "1.5e-7", r"1.5 \cdot 10^{-7}"), (2.5e12, "2.5e12", r"2.5 \cdot 10^{12}"),
])  # fmt: skip
def test_numbers(value, plain, latex):
    assert (number(value), latex_number(value)) == (plain, latex)


def test_colours_are_readable_on_white_and_on_black():
    def luminance(color):
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return np.dot([0.2126, 0.7152, 0.0722], linear)

    for color in COLORS:
        assert 1.05 / (luminance(color) + 0.05) >= 3.9, color
        assert (luminance(color) + 0.05) / (luminance("#111111") + 0.05) >= 3.9, color


# --- derivation ---------------------------------------------------------------------------------------------------------


def test_each_term_reads_symbol_formula_numbers_result(neuron):
    derivation = neuron.derive("w", neuron.forward(**AT))
    assert [latex.step_texts(step) for step in derivation.steps] == [
        [r"\frac{\partial L}{\partial a}", "a - y", "0.401312 - 1", "-0.598688"],
        [
            r"\frac{\partial a}{\partial z}",
            r"\sigma'\left(z\right)",
            r"a \left(1 - a\right)",
            r"0.401312 \cdot \left(1 - 0.401312\right)",
            "0.240261",
        ],
        [r"\frac{\partial z}{\partial w}", "x", "1.5"],
    ]
    assert derivation.value == pytest.approx(-0.21576171552730328, rel=1e-14)
    assert derivation.latex.endswith(r"&= -0.215762 \end{aligned}")
    assert repr(derivation) == "Derivation(dL/dw = -0.215762, 1 path)"


def test_without_a_trace_there_are_no_numbers(neuron):
    derivation = neuron.derive("w")
    assert derivation.value is None
    assert "0.4" not in derivation.latex
    assert latex.step_texts(derivation.steps[1])[1:] == [r"\sigma'\left(z\right)", r"a \left(1 - a\right)"]


def test_several_paths_each_and_their_sum():
    graph = bp.Graph(u="x**2", v="sin(x)", L="u*v")
    derivation = graph.derive("x", graph.forward(x=1.2))
    assert [path.names for path in derivation.paths] == [("L", "u", "x"), ("L", "v", "x")]
    assert derivation.latex.endswith(r"\\ &= 2.75869 \end{aligned}")
    assert str(derivation.closed_form) == "x**2*cos(x) + 2*x*sin(x)"


def test_one_colour_for_one_term_in_formula_and_picture(neuron):
    derivation = neuron.derive("w", neuron.forward(**AT))
    svg = drawn(neuron, AT, wrt="w").svg
    for term, symbol in zip(derivation.terms, ("∂L/∂a", "∂a/∂z", "∂z/∂w"), strict=True):
        color = derivation.colors[term.of, term.wrt]
        assert f"\\color{{{color}}}{{{term.symbol}}}" in derivation.latex
        label = next(
            n
            for n in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
            if "".join(n.itertext()).startswith(symbol)
        )
        assert label.get("fill") == color


def test_a_trace_of_arrays_is_refused(neuron):
    trace = neuron.forward(**AT | {"w": np.zeros(5)})
    with pytest.raises(ValueError, match=r"the trace holds arrays of shape \(5,\)"):
        neuron.derive("w", trace)


def test_a_closed_form_that_would_explode_is_refused():
    graph = bp.Graph([("h0", "x + 1")] + [(f"h{k}", f"h{k - 1}*sin(h{k - 1})") for k in range(1, 30)])
    with pytest.raises(ValueError, match="symbols and numbers, at most 100000"):
        _ = graph.derive("h28").closed_form


# --- picture ------------------------------------------------------------------------------------------------------------


def test_the_picture_shows_every_quantity_term_and_gradient(neuron):
    picture = drawn(neuron, AT)
    shown = texts(picture.svg)
    for text in (
        "w",
        "−0.4",
        "z = w x + b",
        "a = σ(z)",
        "L = (y − a)2 / 2",
        "∂z/∂w = 1.5",
        "∂a/∂z = 0.2403",
        "∂L/∂a = −0.5987",
        "−0.2158",
    ):
        assert text in shown, text
    paths = list(ET.fromstring(picture.svg).iter("{http://www.w3.org/2000/svg}path"))
    assert (
        len([p for p in paths if p.get("stroke-dasharray")])
        == len(neuron.terms())
        == len([p for p in paths if not p.get("stroke-dasharray")])
    )


@pytest.mark.parametrize("seed", range(12))
def test_layout_of_random_graphs(seed):
    graph, numbers = random_graph(seed)
    picture = drawn(graph, numbers)
    circles = [
        tuple(float(c.get(k)) for k in ("cx", "cy", "r"))
        for c in ET.fromstring(picture.svg).iter("{http://www.w3.org/2000/svg}circle")
    ]
    centre = {}
    for (x, y, r), text in zip(circles, [t for t in texts(picture.svg)], strict=False):
        assert r <= x <= picture.width - r and r <= y <= picture.height - r
        centre[x, y] = text
    assert len(centre) == len(circles) == len({name for t in graph.terms() for name in (t.of, t.wrt)})
    near = [(a, b) for a in centre for b in centre if a < b and abs(a[0] - b[0]) < 54 and abs(a[1] - b[1]) < 54]
    assert not near


def test_forward_runs_from_left_to_right(neuron):
    svg = drawn(neuron, AT).svg
    ends = [
        [float(v) for v in re.findall(r"-?[0-9.]+", path.get("d"))]
        for path in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}path")
    ]
    solid = [not path.get("stroke-dasharray") for path in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}path")]
    assert all((end[0] < end[-2]) == forward for end, forward in zip(ends, solid, strict=True))


def test_a_picture_is_the_same_text_whatever_the_hash_seed():
    code = f"import backproplab as bp; g = bp.Graph({NEURON!r}); t = g.forward(**{AT!r}); e = g.terms(t); print(bp.draw(e, t, bp.backpropagate(e, 'L'), wrt='w').svg, g.derive('w', t).latex)"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in "123"
    }
    assert len(outputs) == 1


def test_a_picture_shows_itself_as_svg_and_as_png(neuron):
    bundle = drawn(neuron, AT)._repr_mimebundle_()
    assert set(bundle) == {"image/svg+xml", "image/png", "text/plain"}
    assert bundle["image/png"].startswith("iVBORw0KGgo")
    assert "0x" not in bundle["text/plain"]


@pytest.mark.parametrize("text, shown", [
    ("(a + b)*c", r"\left(a + b\right) \, c"), ("(a + b)/c", r"\frac{a + b}{c}"), ("-a*b", r"-a \, b"), ("a*b/c", r"\frac{a \, b}{c}"),
    ("(a + b)*c/d", r"\frac{\left(a + b\right) \, c}{d}"), ("a/b/c", r"\frac{\frac{a}{b}}{c}"), ("a*(b + c)", r"a \, \left(b + c\right)"),
])  # fmt: skip
def test_a_product_in_latex(text, shown):
    assert bp.Graph(L=text).latex_line("L") == f"L = {shown}"


def test_a_fraction_writes_what_stands_above_it_once():
    """Written twice at each of forty levels it would not end."""
    text = "x"
    for _ in range(40):
        text = f"abs({text}/2)"
    assert bp.Graph(L=text).latex_line("L").count("x") == 1


def test_a_picture_is_saved(neuron, tmp_path, monkeypatch):
    picture = drawn(neuron, AT)
    for name in ("neuron.svg", "neuron.png"):
        picture.save(tmp_path / name)
    assert (tmp_path / "neuron.svg").read_text(encoding="utf-8") == picture.svg
    assert (tmp_path / "neuron.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match=r"must end in \.svg or \.png, found 'neuron\.jpg'"):
        picture.save("neuron.jpg")
    monkeypatch.setattr(files, "_font_with", lambda letters: None)
    with pytest.raises(ValueError, match=r"save it as \.svg"):
        picture.save(tmp_path / "other.png")


def test_letters_of_other_scripts_are_drawn_by_a_font_that_has_them(monkeypatch, caplog):
    graph = bp.Graph([("z", "ب1 * x"), ("L", "z**2")])  # DejaVu Serif has no Arabic letters, DejaVu Sans has
    assert bp.draw(graph.terms())._repr_mimebundle_()["image/png"].startswith("iVBORw0KGgo")
    monkeypatch.setattr(files, "_font_with", lambda letters: None)
    assert set(bp.draw(graph.terms())._repr_mimebundle_()) == {"image/svg+xml", "text/plain"}
    assert bp.draw(graph.terms()).png is None and caplog.text == ""


def test_text_in_a_picture_is_escaped():
    term = bp.Term("L", "x", "<script>alert(1)</script>", lambda: None)
    svg = bp.draw([term]).svg
    assert "<script>" not in svg and "&lt;" in svg
    ET.fromstring(svg)


@pytest.mark.parametrize("text, caption", [
    ("x**2**3", "x^(2³)"), ("(x**2)**3", "(x²)³"), ("x**2", "x²"), ("x**(y + 1)", "x^(y + 1)"), ("x**-2", "x^(−2)"), ("2**-x", "2^(−x)"),
    ("sin(2*x)", "sin(2 x)"), ("2*x*3", "2 x · 3"), ("x*2**3", "x · 2³"), ("a/b*c", "a / b · c"), ("a/(b*c)", "a / (b c)"), ("(a + b)*c", "(a + b) c"),
    ("a*(b*c)", "a (b c)"), ("x*-y", "x (−y)"), ("-x**2", "−x²"), ("-(a + b)", "−(a + b)"), ("a - (b - c)", "a − (b − c)"), ("a + b - c", "a + b − c"),
    ("(y - a)**2 / 2", "(y − a)² / 2"), ("1/(1 + exp(-z))", "1 / (1 + exp(−z))"), ("max(a, b*c)", "max(a, b c)"), ("sigmoid(w*x)", "σ(w x)"),
    ("1e-7*x", "1e−7 x"), ("1000000*x", "1000000 x"), ("1234567*x - 0.50", "1234567 x − 0.50"), ("w*x    +     b         +      c     ", "w x + b + c"),
    ("((((((((((((((w*x + b))))))))))))))", "w x + b"), ("W1_2_1*x_1", "W⁽¹⁾₂,₁ x₁"), ("theta*y_hat", "θ y\u0302"), ("x + speed*y*z - sin(x) + speeds", "x + speed y z − sin(x) + spee…"), ("x + 1000*y*z + sin(x + y + z) - 4", "x + 1000 y z + sin(x + y + z)…"),
])  # fmt: skip
def test_a_caption_is_written_from_the_tree_of_its_line(text, caption):
    graph = bp.Graph(L=text)
    above, below = str.maketrans("0123456789()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾"), str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
    raised = {"sup": lambda run: run.translate(above), "sub": lambda run: run.translate(below)}
    runs = graph.lines["L"].runs(30)
    assert "".join(raised.get(style, str)(run) for run, style in runs) == caption
    shown = texts(bp.draw(graph.terms()).svg)
    assert "L = " + "".join(run for run, _ in runs) in shown
    assert bp.draw(graph.terms()).png.startswith(b"\x89PNG")


def test_the_lines_of_a_network_are_written_by_the_network():
    net = bp.Network([2, 3, 1], ["tanh", "sigmoid"], loss="binary_cross_entropy", l2=0.1)
    terms = net.terms(net.forward([[1, 2]], [[1]]))
    assert {term.of: str(term.line) for term in terms} == {
        "Z1": "X @ W1.T + b1", "A1": "tanh(Z1)", "Z2": "A1 @ W2.T + b2",
        "L": "mean(binary_cross_entropy(A2, Y)) + 0.1/2 * sum(W**2)",
    }  # fmt: skip
    shown = texts(bp.draw(terms).svg)
    for caption in ("X @ W(1).T + b(1)", "tanh(Z(1))", "mean(binary_cross_entropy(A(2),…"):
        assert caption in shown, shown


def crossed(terms):
    """The captions of a picture through which an arrow leads."""
    drawn, boxes, found = template.drawing(terms).shapes, {}, set()
    for text in (text for group in drawn if isinstance(group, shapes.Group) for text in group.shapes if getattr(text, "mark", "").startswith("l:")):  # fmt: skip
        wide = shapes.width_of(text.runs, text.size)
        left = text.x - {"middle": wide / 2, "end": wide}[text.anchor]
        boxes[text.mark] = left, left + wide, text.y - text.size + 2, text.y + 3
    for stroke in (shape for shape in drawn if isinstance(shape, shapes.Stroke)):
        for x, y in (along(stroke.points, k / 300) for k in range(301)):
            found |= {mark for mark, (left, right, top, low) in boxes.items() if left < x < right and top < y < low}
    return found


def test_no_arrow_leads_through_a_caption():
    for options in ({}, dict(batch_norm=True), dict(loss="binary_cross_entropy")):
        for activations in (["tanh"] * 4, ["relu", "softplus"] * 3, ["sigmoid"] * 9):
            net = bp.Network([3] * len(activations) + [2], [*activations[:-1], "sigmoid"], **options)
            assert crossed(net.terms(net.forward(np.eye(4, 3), np.eye(4, 2)))) == set()


def test_an_arrow_through_a_caption_is_seen(monkeypatch):
    net = bp.Network([3, 3, 3, 3, 2], ["tanh"] * 4)
    monkeypatch.setattr(template, "ASIDE", 60)
    template._in_layers.cache_clear()
    assert crossed(net.terms(net.forward(np.eye(4, 3), np.eye(4, 2)))) == {"l:Z3", "l:L"}
    template._in_layers.cache_clear()


def test_coordinates_do_not_depend_on_how_python_adds(monkeypatch):
    """From Python 3.12 on `sum` compensates; a picture is the same there."""
    net = bp.Network([2, 3, 1], ["tanh", "sigmoid"], seed=1)
    trace = net.forward([[0.5, -1.0], [1.5, 0.2], [1, 2], [3, 4]], [[1], [0], [0], [1]])
    layout.cache_clear()
    before = bp.draw(net.terms(trace), trace).svg
    monkeypatch.setattr("builtins.sum", lambda values, start=0: math.fsum([start, *values]))
    layout.cache_clear()
    assert bp.draw(net.terms(trace), trace).svg == before


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="no terms"):
        bp.draw([])


# --- table and check ----------------------------------------------------------------------------------------------------


def test_table(neuron):
    trace = neuron.forward(**AT)
    table = bp.table(trace, bp.backpropagate(neuron.terms(trace), "L"))
    assert repr(table).splitlines()[1].split() == ["w", "-0.4", "-0.215762"]
    assert "<td>z</td><td>-0.4</td><td>-0.143841</td>" in table._repr_html_()
    assert repr(bp.table(trace)).splitlines()[-1].split() == ["L", "0.179213"]


# --- room for what stands in a picture ----------------------------------------------------------------------------------

CROWDED = {
    "a filter": "z0 = 2*w0 - w1; z1 = -w0 + 5*w1; L = ((z0 + 7)**2 + (z1 + 15)**2) / 2",
    "attention": "E0 = exp(-u/2); E1 = exp(u); a0 = E0/(E0 + E1); a1 = E1/(E0 + E1); v0 = -v; v1 = 2*v; o = a0*v0 + a1*v1",
}


@pytest.mark.parametrize("lines", CROWDED.values(), ids=CROWDED)
def test_where_edges_cross_a_label_covers_no_other_and_no_line_is_crossed(lines):
    terms = bp.Graph([tuple(line.split(" = ")) for line in lines.split("; ")]).terms()
    drawn = template.drawing(terms)
    whole = [shape for shape in drawn.shapes if not isinstance(shape, shapes.Group)]
    nodes = [shape for shape in drawn.shapes if isinstance(shape, shapes.Group)]
    labels = [_box(pill.x, pill.y, pill.width, pill.height) for pill in whole if isinstance(pill, shapes.Pill)]
    circles = [_box(node.shapes[0].x, node.shapes[0].y + 9, 54, 72) for node in nodes]  # with the gradient below
    captions = [
        _box(text.x, text.y - 4, shapes.width_of(text.runs, 13), 14)
        for node in nodes for text in node.shapes if (text.mark or "").startswith("l:")
    ]  # fmt: skip
    assert len(labels) == len(terms) and drawn.width <= 900
    covered = [(a, b) for i, a in enumerate(labels) for b in labels[i + 1 :] + circles + captions if shared(a, b) > 0]
    assert covered == []
    ways = [shape.points for shape in whole if isinstance(shape, shapes.Stroke)]
    ways = [way if len(way) % 3 == 1 else template._cubic(way) for way in ways]
    inked = [along(way, t / 90) for way in ways for t in range(91)]
    assert not any(left < x < right and top < y < bottom for left, top, right, bottom in captions for x, y in inked)
    assert all(left > 0 and right < drawn.width for left, _, right, _ in captions + labels)


def _box(x, y, wide, high):
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def test_layers_without_their_data_begin_within_the_picture():
    net = bp.Network([2, 3, 2], ["tanh", "softmax"], loss="cross_entropy", seed=0)
    terms = [term for term in net.terms(net.forward([[1.0, 2.0]], [1])) if term.wrt not in ("X", "Y")]
    drawn = template.drawing(terms)
    assert all(
        shape.x >= shape.r for node in drawn.shapes if isinstance(node, shapes.Group) for shape in node.shapes[:1]
    )
