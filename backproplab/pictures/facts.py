"""What a template shows: a text for each slot, a look for each mark. A pure function of terms, trace, gradient and what is asked."""

import math
import operator
from dataclasses import dataclass, replace
from functools import reduce

from ..notation import COLORS, number, short
from ..terms import below, check_terms, first_paths, terms_between, walk
from .files import Picture
from .shapes import INK, MUTED, Circle, Group, Pill, Stroke, Text
from .template import drawing

ROOM = 7  # characters of a number in a circle or a label; one that needs more keeps two digits
MOST_EDGES, MOST_PATHS, WIDEST = 1000, 8, 8
RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def draw(terms, trace=None, gradient=None, *, wrt=None, output=None):
    """The computation as a `Picture`: forward solid, the way back red and dashed, each of its edges labelled with its term.

    The graph of a network stands in units, any other in columns. Without a trace there are no values, without a gradient no
    way back; one that holds some of the names draws as far as it goes. `wrt` colours the terms on the paths from `output`
    (the last line unless named) down to that name, as `derive` does.
    ValueError: no terms, or a name that they do not hold. TypeError: no list of terms.
    """
    check_terms(terms, "draw")
    if not terms:
        raise ValueError("draw: there are no terms: a computation needs a line that uses a name")
    if len(terms) > MOST_EDGES:
        raise ValueError(
            f"draw: {len(terms)} edges, more than the {MOST_EDGES} that a page can show; draw a part of the lines"
        )
    return fill(drawing(terms), gather(terms, trace, gradient, wrt, output))


@dataclass(frozen=True)
class Facts:
    """`text` by slot: "v:z" a value, "g:z" a gradient, "t:a:z" a term; `mark` by part: "n:z" a node, "e:a:z" an edge, "b:a:z"
    its way back, "t:a:z" the label, "l:z" a line. A part that is not held has its plain look."""

    text: dict
    mark: dict

    def without(self, hidden):
        """The same with "?" in the slots that are hidden."""
        return Facts(self.text | dict.fromkeys(self.text.keys() & set(hidden), "?"), self.mark)


def written(value):
    """A number in a formula: 6 digits, 1.5·10⁻⁷."""
    mantissa, mark, exponent = number(value).partition("e")
    return mantissa.replace("-", "−") + ("·10" + exponent.translate(RAISED) if mark else "")


def factor(value):
    """The same as it stands in a product: in parentheses where its sign or its power of ten needs them."""
    text = written(value)
    return text if text.replace(".", "").isdigit() else f"({text})"


def compact(value):
    """A number for a slot: 4 digits, 2 where they need more room than there is."""
    text = short(value)
    return text if len(text) <= ROOM else short(value, 2)


def carried(terms):
    """The weight that stands on an edge between units, by edge (of, wrt)."""
    places = next((places for term in terms if (places := getattr(term.line, "places", None))), None) or {}
    return {place[1:]: name for name, place in places.items() if place[0] == "weight"}


def flows(terms, gradient):
    """|what flows back| along each edge, by edge: the gradient of the weight that stands on it, else the part that it sends back."""
    weights = carried(terms)
    parts = {term.edge: gradient[term.of] * term.value for term in terms}
    return {edge: abs(gradient.get(weights[edge], 0.0) if edge in weights else part) for edge, part in parts.items()}


def gather(terms, trace, gradient, wrt=None, output=None, walked=None, current=(), glance=False, hidden=()):
    """The facts of terms with numbers, as far as `trace` and `gradient` hold them.

    `wrt` lights the terms on the paths from `output` down to it, `walked` are the lines that the walk has passed (all of
    them if left out), `current` the lines at work; with `glance` edges are as wide as what flows back along them. Without a
    gradient there is no way back. In `hidden` slots stands "?", and no edge has a width that would tell what they hide.
    """
    names = dict.fromkeys(name for term in terms for name in reversed(term.edge))
    lines = {term.of for term in terms}
    walked = (lines if walked is None else set(walked)) if gradient is not None else set()
    lit = {}
    if wrt is not None:
        for i, term in enumerate(terms_between(terms, output or terms[-1].of, wrt, "draw")):
            lit.setdefault(term.edge, f"lit c{i % len(COLORS)}")
    # What a line that the walk has not passed yet will add to has no gradient yet, only a part of it.
    reached = below(terms, output or terms[-1].of)
    unfinished = {term.wrt for term in terms if term.of in reached and term.of not in walked}
    whole = {name: value for name, value in (gradient or {}).items() if name not in unfinished}
    on_path = {name for edge in lit for name in edge}
    nodes = _of_nodes(names, trace, whole, wrt, on_path, current)
    edges = _of_edges(terms, gradient or {}, walked, lit, "" if wrt is None else "off", glance, hidden)
    return Facts(nodes.text | edges.text, nodes.mark | edges.mark).without(hidden)


def _of_nodes(names, trace, gradient, wrt, on_path, current):
    """The facts of the quantities: the numbers that are known, and what looks each has."""
    text, mark = {}, {}
    for name in names:
        looks = {
            "unknown": trace is not None and name not in trace,
            "now": name in current,
            "asked": name == wrt,
            "lit": name in on_path,
        }
        if any(looks.values()):
            mark[f"n:{name}"] = " ".join(look for look, holds in looks.items() if holds)
        if trace is not None and name in trace:
            text[f"v:{name}"] = compact(trace[name])
        if name in gradient:
            text[f"g:{name}"] = compact(gradient[name])
        if name in current:
            mark[f"l:{name}"] = "now"
    return Facts(text, mark)


def _of_edges(terms, gradient, walked, lit, plain, glance, hidden):
    """The facts of the edges: each term that the walk has passed, its look, with `glance` its width; `plain` if it is not lit."""
    text, mark = {}, {}
    passed = [term for term in terms if term.of in walked and term.of in gradient]
    wide = flows(passed, gradient) if glance and passed else {}
    weights = carried(terms)
    wide = {edge: flow for edge, flow in wide.items() if not _tells(edge, weights.get(edge), hidden)}
    most = max(wide.values(), default=0.0) or 1.0
    seen = {term.edge for term in passed}
    for term in terms:
        key, look = ":".join(term.edge), lit.get(term.edge, plain)
        width = f" w{math.floor(WIDEST * (wide[term.edge] / most) + 0.5)}" if term.edge in wide else ""
        mark[f"e:{key}"] = look + width
        mark[f"b:{key}"] = mark[f"t:{key}"] = look if term.edge in seen else "hidden"
        if term.edge in seen and term.value is not None:
            text[f"t:{key}"] = compact(term.value)
    return Facts(text, mark)


def _tells(edge, weight, hidden):
    """Whether what flows back along an edge would tell what is hidden."""
    return not {f"t:{':'.join(edge)}", f"d:{edge[1]}", f"d:{weight}"}.isdisjoint(hidden)


def chains(terms, trace, output, wrt, walked, turned=True):
    """The facts of the chains beside the picture, as far as the walk has passed the lines: texts by slot.

    "x:z" the number of a name in a formula, "w:z" the same alone in parentheses, "f:a:z" a term as a factor, "r:a:z" alone; "p:0" the product of the first path, "q:0" in the
    sum; "d:z" a gradient, "e:z" as a factor, once the pass has `turned` back; "o:" the sum of the paths that are not shown, "s:" of all.
    """
    text = {f"x:{name}": factor(value) for name, value in trace.items()}
    text |= {f"w:{name}": written(value) for name, value in trace.items()}
    gradient = walk([term for term in terms if term.of in walked], {output: 1.0})
    for term in terms:
        if term.of in walked and term.of in gradient:
            text[f"f:{':'.join(term.edge)}"], text[f"r:{':'.join(term.edge)}"] = factor(term.value), written(term.value)
    unfinished = {term.wrt for term in terms if term.of in below(terms, output) and term.of not in walked}
    for name in gradient if turned else ():
        if name not in unfinished:
            text[f"d:{name}"], text[f"e:{name}"] = written(gradient[name]), factor(gradient[name])
    way, (count, first) = terms_between(terms, output, wrt), first_paths(terms, output, wrt, MOST_PATHS)
    products = [path.value for path in first]
    for k, (path, value) in enumerate(zip(first, products, strict=True)):
        if all(term.of in walked for term in path.terms):
            text[f"p:{k}"], text[f"q:{k}"] = written(value), factor(value)
    if way and all(term.of in walked for term in way):
        text["s:"] = written(gradient[wrt])
        if count > len(first):
            text["o:"] = factor(gradient[wrt] - reduce(operator.add, products, 0.0))
    return text


def fill(template, found):
    """The template with its facts: a still `Picture`."""
    shapes = (shape for whole in template.shapes for shape in (whole.shapes if isinstance(whole, Group) else (whole,)))
    filled = (_filled(shape, found) for shape in shapes)
    return Picture(
        template.width, template.height, tuple(shape for shape in filled if shape is not None), template.label
    )


def _filled(shape, found):
    """A shape with its text and its look; None where nothing of it is to be seen."""
    looks = found.mark.get(shape.mark, "").split()
    if "hidden" in looks or (shape.quiet and "lit" not in looks):
        return None
    if isinstance(shape, Text) and shape.slot:
        text = found.text.get(shape.slot, "")
        if not text and not shape.runs:
            return None
        runs = shape.runs if text else tuple(run for run in shape.runs if run != (" = ", ""))
        shape = replace(shape, runs=(*runs, (text, "")) if text else runs)
    color = next((COLORS[int(look[1:])] for look in looks if look[0] == "c" and look[1:].isdigit()), None)
    return LOOKS[type(shape)](shape, looks, color)


def _stroke(stroke, looks, color):
    wide = next((0.4 + int(look[1:]) for look in looks if look[0] == "w" and look[1:].isdigit()), None)
    if wide is not None:
        return replace(stroke, color=color or MUTED, width=wide)
    if "off" in looks:
        return replace(stroke, color=MUTED, width=1.0)
    if "lit" not in looks:
        return stroke
    return replace(stroke, width=1.8) if stroke.dashed else replace(stroke, color=color, width=2.4)


def _text(text, looks, color):
    return replace(text, color=color or (MUTED if "off" in looks else INK if "now" in looks else text.color))


def _circle(circle, looks, _):
    rim = MUTED if "unknown" in looks else circle.rim
    return replace(circle, rim=rim, width=2.8 if {"now", "asked"} & set(looks) else circle.width)


def _pill(pill, looks, color):
    return replace(pill, rim=color or (MUTED if "off" in looks else INK if "asked" in looks else pill.rim))


LOOKS = {Stroke: _stroke, Text: _text, Circle: _circle, Pill: _pill}
