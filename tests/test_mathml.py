"""Our LaTeX as MathML: trees worked out by hand, everything that we write converts, and nothing else becomes markup."""

import inspect
import random
import re
import xml.etree.ElementTree as ET

import pytest
import sympy as sp
from conftest import AT, NEURON, PUBLISHED, random_graph

import backproplab as bp
from backproplab.functions.activations import ACTIVATIONS
from backproplab.functions.operations import FUNCTIONS
from backproplab.notation import GREEK, latex_formula, latex_name, latex_number, place, template
from backproplab.paper import mathml

LENGTHS = {"0.17em", "0.22em", "1em", "2em"}
SIDE = r"text-align:-webkit-(left|right)(;padding-(left|right):0)?"
ALLOWED = {  # tag -> attribute -> its values
    "math": {}, "mrow": {}, "mfrac": {}, "msqrt": {}, "mroot": {}, "msub": {}, "msup": {}, "msubsup": {}, "munder": {},
    "mtext": {}, "mtr": {}, "mi": {"mathvariant": "normal"}, "mn": {"data-slot": r"[xw]:\w+"}, "mover": {"accent": "true"},
    "mo": {"stretchy": "true|false", "form": "prefix", "lspace": "0", "rspace": "0"}, "mspace": {"width": "|".join(LENGTHS)},
    "mstyle": {"displaystyle": "true", "mathcolor": "#[0-9a-f]{6}"}, "mtable": {"displaystyle": "true"},
    "mtd": {"columnalign": "left|right", "style": SIDE},
}  # fmt: skip
COUNT = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "msubsup": 3, "munder": 2, "mover": 2, "mspace": 0}
TOKENS = ("mi", "mn", "mo", "mtext")


def checked(element):
    """The element, every tag, attribute and child of which is one of those allowed."""
    tag, attributes, *children = element
    assert tag in ALLOWED, tag
    for name, value in attributes.items():
        assert name in ALLOWED[tag] and re.fullmatch(ALLOWED[tag][name], value), (tag, name, value)
    assert len(children) == COUNT.get(tag, len(children)), element
    if tag in TOKENS:
        assert not children if "data-slot" in attributes else len(children) == 1 and isinstance(children[0], str)
    else:
        for child in children:
            checked(child)
    return element


def from_xml(node):
    """A parsed element as the same plain data."""
    assert not (node.tail or "").strip()
    return [node.tag, dict(node.attrib), *([node.text] if node.text else []), *map(from_xml, node)]


def pieces(element):
    """The element and all that is in it; of w with index and exponent also w with its index."""
    yield element
    if element[0] == "msubsup":
        yield ["msub", {}, *element[2:4]]
    for child in element[2:]:
        if not isinstance(child, str):
            yield from pieces(child)


def read(latex):
    """The tree of a formula, which is allowed, and the same again when it is written and parsed."""
    tree = checked(mathml.tree(latex))
    assert from_xml(ET.fromstring(mathml.markup(tree))) == tree
    return tree


def check_names(latex, names):
    """The formula holds each of the names as that name alone is written."""
    found = list(pieces(read(latex)))
    for name in names:
        (own,) = read(latex_name(name))[2:]
        assert own in found, (latex, name)


def check_places(latex, names):
    """The template has places for the names, and for no others."""
    slots = [attributes["data-slot"] for _, attributes, *_ in pieces(read(latex)) if "data-slot" in attributes]
    assert {slot[2:] for slot in slots} == set(names), latex


def check_formula(formula):
    names = [symbol.name for symbol in formula.free_symbols]
    check_names(latex_formula(formula), names)
    check_places(template(formula), names)


def check_graph(graph):
    for term in graph.terms():
        check_names(term.symbol, term.edge)
        check_formula(term.formula)
        if term.shortcut is not None:
            check_formula(term.shortcut)
    for name, line in graph.lines.items():
        check_names(line.latex, line.names)
        check_names(graph.latex_line(name), (name, *line.names))
        if line.template is not None:
            check_places(line.template, line.names)


# --- by hand ----------------------------------------------------------------------------------------------------------


def mi(text, **attributes):
    return ["mi", attributes, text]


def mn(text):
    return ["mn", {}, text]


def mo(text, **attributes):
    return ["mo", attributes, text]


def row(*children):
    return ["mrow", {}, *children]


def fenced(left, *children, right):
    return row(mo(left, stretchy="true"), *children, mo(right, stretchy="true"))


def cell(side, *children, close=None):
    style = f"text-align:-webkit-{side}" + (f";padding-{close}:0" if close else "")
    return ["mtd", {"columnalign": side, "style": style}, *children]


def layer(number):
    return row(mo("(", stretchy="false"), mn(number), mo(")", stretchy="false"))


d = mi("∂", mathvariant="normal")
comma = mo(",", lspace="0", rspace="0")
minus = mo("−", form="prefix")
thin = ["mspace", {"width": "0.17em"}]
in_parentheses = fenced("(", mi("z"), right=")")

BY_HAND = {
    "": [],
    "x": [mi("x")],
    "-0.4": [minus, mn("0.4")],
    r"1.5 \cdot 10^{-7}": [mn("1.5"), mo("⋅"), ["msup", {}, mn("10"), row(minus, mn("7"))]],
    "x - y = - 3": [mi("x"), mo("−"), mi("y"), mo("="), minus, mn("3")],
    r"2 \, \theta x": [mn("2"), thin, mi("θ"), mi("x")],
    "w_{1}": [["msub", {}, mi("w"), mn("1")]],
    "b^{(1)}": [["msup", {}, mi("b"), layer("1")]],
    "W^{(1)}_{2,1}": [["msubsup", {}, mi("W"), row(mn("2"), comma, mn("1")), layer("1")]],
    r"\left(a^{(1)}_{2}\right)^{2}": [
        ["msup", {}, fenced("(", ["msubsup", {}, mi("a"), mn("2"), layer("1")], right=")"), mn("2")]
    ],
    r"\hat{y}": [["mover", {"accent": "true"}, mi("y"), mo("ˆ", stretchy="false")]],
    r"\mathrm{my\_dot}_{\mathrm{in}}": [
        ["msub", {}, mi("my_dot", mathvariant="normal"), mi("in", mathvariant="normal")]
    ],
    r"\frac{\partial L}{\partial w_{1}}": [
        ["mfrac", {}, row(d, mi("L")), row(d, ["msub", {}, mi("w"), mn("1")])],
    ],
    r"\sigma'\left(z\right)": [row(mi("σ"), mo("′")), in_parentheses],
    r"x \sin{\left(z \right)} y": [mi("x"), thin, mi("sin"), in_parentheses, mi("y")],
    r"\cos^{2}{\left(z \right)}": [["msup", {}, mi("cos"), mn("2")], in_parentheses],
    r"{\tanh'\left(z\right)}^{2}": [["msup", {}, row(row(mi("tanh"), mo("′")), in_parentheses), mn("2")]],
    r"\operatorname{leaky\_relu}\left(z\right)": [mi("leaky_relu"), in_parentheses],
    r"\operatorname{softmax}_{a}\left(a, z\right)": [
        ["msub", {}, mi("softmax"), mi("a")], fenced("(", mi("a"), mo(","), mi("z"), right=")")
    ],
    r"\left[z = \max\left(z\right)\right]": [fenced("[", mi("z"), mo("="), mi("max"), in_parentheses, right="]")],
    r"\left|{z}\right| - \sqrt{2}": [fenced("|", mi("z"), right="|"), mo("−"), ["msqrt", {}, mn("2")]],
    r"\sqrt[3]{x + \pi}": [["mroot", {}, row(mi("x"), mo("+"), mi("π")), mn("3")]],
    r"e^{- z} + e^{n - 1}": [
        ["msup", {}, mi("e"), row(minus, mi("z"))], mo("+"),
        ["msup", {}, mi("e"), row(mi("n"), mo("−", lspace="0", rspace="0"), mn("1"))],
    ],
    "⟦x⟧^{2} \\cdot ⟦W1_2_3⟧": [
        ["msup", {}, ["mn", {"data-slot": "x:x"}], mn("2")], mo("⋅"), ["mn", {"data-slot": "x:W1_2_3"}]
    ],
    r"\begin{cases} z & \text{for}\: z > 0 \\0 & \text{otherwise} \end{cases}": [
        row(mo("{", stretchy="true"), ["mtable", {},
            ["mtr", {}, cell("left", mi("z")),
             cell("left", ["mtext", {}, "for"], ["mspace", {"width": "0.22em"}], mi("z"), mo(">"), mn("0"))],
            ["mtr", {}, cell("left", mn("0")), cell("left", ["mtext", {}, "otherwise"])]])
    ],
    r"a \neq b \wedge a \leq b \vee a \geq - \infty": [
        mi("a"), mo("≠"), mi("b"), mo("∧"), mi("a"), mo("≤"), mi("b"), mo("∨"), mi("a"), mo("≥"), minus, mi("∞")
    ],
    r"\displaystyle x {\color{#9a5fc7}{\frac{1}{2}}}": [
        ["mstyle", {"displaystyle": "true"}, mi("x"), ["mstyle", {"mathcolor": "#9a5fc7"}, ["mfrac", {}, mn("1"), mn("2")]]]
    ],
    r"\begin{aligned} a &= b \\[6pt] &= c \end{aligned}": [
        ["mtable", {"displaystyle": "true"},
         ["mtr", {}, cell("right", mi("a"), close="right"), cell("left", mo("="), mi("b"), close="left")],
         ["mtr", {}, cell("right", close="right"), cell("left", mo("="), mi("c"), close="left")]]
    ],
    r"\begin{pmatrix} 1 & -2 \end{pmatrix}": [
        fenced("(", ["mtable", {}, ["mtr", {}, ["mtd", {}, mn("1")], ["mtd", {}, minus, mn("2")]]], right=")")
    ],
    r"\left.x\right|_{l2} {} + \cdots": [
        ["msub", {}, row(mi("x"), mo("|", stretchy="true")), row(mi("l"), mn("2"))], row(), mo("+"), mi("⋯")
    ],
    r"\frac{L(w + h) - L(w)}{h}": [
        ["mfrac", {}, row(mi("L"), mo("(", stretchy="false"), mi("w"), mo("+"), mi("h"), mo(")", stretchy="false"),
            mo("−"), mi("L"), mo("(", stretchy="false"), mi("w"), mo(")", stretchy="false")), mi("h")]
    ],
    r"\underset{1 \times 3}{\mathbf{1}^{\top}} \odot v": [
        ["munder", {}, ["msup", {}, mn("𝟏"), mi("⊤", mathvariant="normal")], row(mn("1"), mo("×"), mn("3"))],
        mo("⊙"), mi("v"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("latex", BY_HAND, ids=lambda latex: latex or "nothing")
def test_trees_worked_out_by_hand(latex):
    assert read(latex) == ["math", {}, *BY_HAND[latex]]


def test_trees_share_nothing():
    first, second = (mathml.tree(r"- x \partial") for _ in range(2))
    first[2][1]["form"] = first[4][1]["mathvariant"] = "spoilt"
    assert second == mathml.tree(r"- x \partial") != first


def test_the_text_is_escaped():
    tree = mathml.tree(r"a < b \, ⟦x⟧ > \text{<script>&\_}")
    assert mathml.markup(tree) == (
        '<math><mi>a</mi><mo>&lt;</mo><mi>b</mi><mspace width="0.17em"></mspace><mn data-slot="x:x"></mn>'
        r"<mo>&gt;</mo><mtext>&lt;script&gt;&amp;\_</mtext></math>"
    )
    assert mathml.markup(["mi", {"class": '"<&'}, "'"]) == '<mi class="&quot;&lt;&amp;">&#x27;</mi>'


# --- everything that we write -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_of_the_table(name):
    function, own, other = FUNCTIONS[name], *sp.symbols("w1 z2_1")
    args = (own, other) if function.several else (own,)
    about = (own, *args) if function.several else args
    for formula in (function.formula(*args), function.symbolic(*args), function.slope.formula(*about)):
        check_formula(formula)
        check_formula(other - 3 * formula**2)
    for by in args:
        check_formula(function.symbolic(*args).diff(by))
        check_formula((2 / function.symbolic(*args) ** 2).diff(by))
    check_graph(bp.Graph([("z2_1", "x"), ("h", f"-{name}(w1{', z2_1' if function.several else ''})**2 * y_hat")]))


@pytest.mark.parametrize("seeds", [range(k, k + 50) for k in range(0, 300, 50)], ids=str)
def test_random_graphs(seeds):
    for seed in seeds:
        graph, _ = random_graph(seed)
        check_graph(graph)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_networks(activation):
    kinds = [{}, {"fused": False}] if "fused" in inspect.signature(bp.Network.graph).parameters else [{}]
    for output, loss in (("softmax", "cross_entropy"), ("softmax", "squared_error"), ("sigmoid", "binary_cross_entropy"), ("identity", "squared_error")):  # fmt: skip
        network = bp.Network([2, 3, 2], [activation, output], loss=loss, l2=0.01)
        for kind in kinds:
            check_graph(network.graph([0.3, -0.2], [1, 0], **kind))
        for term in network.terms(network.forward([[0.3, -0.2]], [[1, 0]])):
            read(term.symbol)
            read(term.latex)


def test_whole_derivations():
    for lines, numbers, _ in [*PUBLISHED.values(), (NEURON, AT, None)]:
        graph = bp.Graph(lines)
        trace = graph.forward(**numbers)
        for name in graph.inputs:
            derivation = graph.derive(name, trace)
            for found in (derivation, graph.derive(name)):
                read(found.latex)
            read(latex_formula(derivation.closed_form))
    network = bp.Network([2, 3, 2], ["tanh", "softmax"], loss="cross_entropy", l2=0.01)
    trace = network.forward([[0.3, -0.2], [1, 2]], [0, 1])
    for name in network.parameters:
        read(network.derive(name, trace).latex)
    read(network.derive("W1", trace).recursion)


@pytest.mark.parametrize("name", [*GREEK, "sigma1", "W1_2_3", "A2", "b1", "y_hat", "loss", "my_long_name", "x_in", "x1y2", "ж", "é3", "Größe", "x٣"])  # fmt: skip
def test_every_kind_of_name(name):
    check_names(latex_name(name), [name])
    check_names(f"{latex_name(name)} - 3 x", [name, "x"])
    check_places(f"{place(name)}^{{2}}", [name])


@pytest.mark.parametrize("value", [0, -0.4, 1.5e-7, -2e300, 12345678.9])
def test_numbers(value):
    text = "".join(ET.fromstring(mathml.markup(read(latex_number(value)))).itertext()).replace("−", "-")
    assert text == latex_number(value).replace(r" \cdot ", "⋅").replace("^{", "").rstrip("}")


def test_the_deepest_line_that_is_read():
    line = "x"
    for _ in range(24):
        line = f"exp(-1/({line} + 1))"
    check_graph(bp.Graph({"L": line}))


# --- nothing else -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("latex, said", [
    (r"\href{javascript:alert(1)}{x}", "sign :"), (r"\href{x}{y}", r"\href"), (r"x + \unknown", r"\unknown"), (r"\htmlStyle{}", r"\htmlStyle"),
    (r"\begin{matrix} 1 \end{matrix}", "matrix"), (r"\mathbf{2}", r"\mathbf"), (r"\mathrm x", r"\mathrm"),
    (r"\color{red}{x}", "red"), (r'\color{#000000" onclick="x}{x}', "onclick"), (r"\color{#9a5fc7} x", "expected {"),
    (r"\mathrm{<script>}", "<script>"), (r"\operatorname{a b}", "a b"), (r"\text{\href}", r"\text"), (r"\end", r"\end"),
    ("{x", "expected }, found the end"), ("x}", "expected the end, found }"), (r"\frac{1}{2", "expected }"),
    (r"\frac{1}", "expected {"), (r"\frac12", "expected {"), (r"\mathrm{x", r"\mathrm"), ("x^2", "expected {"),
    (r"\left(x", r"expected \right"), (r"\left(x\right]", "expected )"), (r"\right)", r"found \right"),
    (r"\left<x\right>", "expected"), (r"\left.x\right.", "expected"), (r"\sqrt[3 x", "expected ]"), ("x]", "expected the end"),
    ("x & y", "expected the end"), (r"x \\ y", "expected the end"), (r"\begin{cases} 1", r"expected \end{cases}"),
    (r"\begin{cases} 1 \end{array}", r"expected \end{cases}"), (r"\begin{array}{c} 1 \end{array}", "array"),
    ("x^{1}^{2}", "twice"), ("x_{1}_{2}", "twice"), ("^{2}", "^ is"), ("'", "' is"), ("[x", "[ is"), ("x | y", "| is"),
    ("⟦<script>⟧", "⟦ is"), ("⟦x", "⟦ is"), ("⟦⟧", "⟦ is"), ("x; y", "; is"), ("x/y", "/ is"), ("$x$", "$ is"), ("x % y", "% is"), ("a\\", "\\ is"),
    ("{" * 5000 + "}" * 5000, "nested too deeply"),
])  # fmt: skip
def test_what_we_never_write_is_refused(latex, said):
    with pytest.raises(ValueError, match=r"^mathml: ") as refused:
        mathml.tree(latex)
    assert said in str(refused.value)


def test_hostile_text_is_refused_or_stays_text():
    for name in ("<script>", "a<b", '"x', "x&y", "</math>", "x y"):
        for latex in (latex_name(name), place(name), f"{latex_name(name)} + 1"):
            try:
                read(latex)
            except ValueError:
                continue
            pytest.fail(f"{latex} was read")
    tree = read(r"<script>alert(1)<\text{/script>}")
    assert "".join(ET.fromstring(mathml.markup(tree)).itertext()) == "<script>alert(1)</script>"


def test_any_order_of_our_tokens_is_read_or_refused():
    tokens = [*mathml.SYMBOLS, *mathml.COMMANDS, *"{}{}{}^_'[]&xy12|.", r"\mathrm{ab}", r"\text{<b>}", r"\color{#000000}",
              r"\begin{cases}", r"\end{cases}", r"\right", r"\\", "⟦x⟧", r"\left(", r"\right)", "{x}", "{x}", "{x}"]  # fmt: skip
    rng, seen = random.Random(1), set()
    for _ in range(4000):
        latex = " ".join(rng.choices(tokens, k=rng.randint(1, 7)))
        try:
            read(latex)
        except ValueError as error:
            assert str(error).startswith("mathml: ")
            seen.add("refused")
        else:
            seen.add("read")
    assert seen == {"read", "refused"}


@pytest.mark.parametrize("element", [
    ["script", {}, "x"], ["math", {}, ["a", {"href": "x"}]], ["mi", {"onclick": "x"}, "x"], ["mi", {}], ["mn", {}, mi("x")],
    ["mn", {"data-slot": "x:x", "id": "y"}], ["mn", {"data-slot": "x:x"}, "1"], ["mtd", {"style": "position:fixed"}],
    ["mfrac", {}, mi("x")], ["mstyle", {"mathcolor": "red"}], ["mspace", {"width": "99em"}],
])  # fmt: skip
def test_the_check_of_tags_sees_what_is_not_allowed(element):
    with pytest.raises(AssertionError):
        checked(element)


def test_the_check_of_names_sees_a_missing_one():
    for check, latex, names in (
        (check_names, "w_{1}^{2} + x", ["w2"]),
        (check_names, "w_{1}^{2}", ["w1", "x"]),
        (check_names, r"W^{(1)}_{2,1}", ["W1_1_2"]),
        (check_places, "⟦w⟧ x", ["w", "x"]),
        (check_places, "⟦w⟧ ⟦x⟧", ["w"]),
    ):
        with pytest.raises(AssertionError):
            check(latex, names)
