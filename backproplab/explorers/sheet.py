"""The sheet: all that the page needs of a computation, as plain data. JSON, never code."""

from ..lines.program import Program
from ..notation import latex_name, name_runs, parts, template
from ..paper.latex import factor, latex_formula
from ..paper.mathml import tree
from ..pictures.facts import carried
from ..pictures.files import live
from ..pictures.shapes import Text
from ..pictures.template import drawing
from ..terms import below
from .asking.words import WORDS as ASKING

FORMAT = 1
WORDS = {
    "of": "Derivative of", "wrt": "with respect to", "inputs": "the inputs", "forward": "forward", "backward": "backward",
    "through": "through", "path": "path", "paths": "paths", "sum": "sum over", "whole": "; d: along all of them, ∂: of one line alone", "more": "more", "picture": "the computation", "chain": "the products", "plots": "the terms as slopes",
    "first": "to the inputs", "back": "one step back", "next": "one step on", "last": "to the end", "steps": "the pass, step by step",
    "reset": "Reset", "typed": "typed", "all": "All quantities", "quantity": "quantity", "value": "value", "gradient": "gradient",
    "slope": "slope", "gives": "gives", "is": "is", "at": "at", "stays": "The page still shows the last good numbers.",
    "notnumber": "a number is wanted, such as -0.5 or 1e-3, up to 1e300", "notpositive": "a number above 0 is wanted, such as 0.1, at most 1e300", "notzero": "a number other than 0 is wanted, such as 0.1 or -1e-3, up to 1e300", "nothingmoves": "at least one parameter has to move", "nopath": "no path leads to it from", "itself": "is the output itself", "earlier": "plots of terms nearer to the output that are left out:",
    "agrees": "NumPy agrees", "kink": "a line stands at its kink, where its slope is a convention; on it hangs the gradient by", "differs": "NumPy finds another gradient; the relative difference is", "rounding": "NumPy agrees but for rounding: what is left of lines that cancel",
    "kernelerror": "the kernel says", "nokernel": "the kernel does not answer; the page goes on without it",
    "view": "the network", "units": "unit by unit", "layers": "in layers", "update": "Update", "rate": "rate", "once": "one step", "play": "play", "pause": "pause", "restart": "back to the start", "withpass": "show the pass", "moves": "moves", "losses": "{output} after step {count}:", "chosen": "only {wrt}", "everything": "all parameters",
    "landscape": "{output} over {wrt}", "drag": "Drag the point, or use the slider of {wrt}.", "nudge": "Nudge {wrt} by h", "h": "h", "go": "nudge", "line": "changes by", "ratio": "ratio", "term": "term", "estimate": "h times the gradient", "exact": "what really happened", "terms": "the terms predict",
    "voices": "Voices at {wrt}", "voice": "{wrt} is used by {count} lines; each sends its part back, and the parts add up:", "batch": "The batch", "example": "row", "each": "what each row adds to d{output}/d{wrt}, as the {reduction} has it:", "penalty": "the penalty, once", "total": "together", "batchloss": "{whole}, the {reduction} of {output} over its rows,", "by mean": "mean", "by sum": "sum",
    "all paths": "all paths", "delta": "through δ", "chainas": "the chain", "glance": "edges as wide as |gradient|", "folded": "paths: {count}; rows: {rows}. Each δ is computed once, however many paths lead through it.", "width": "|gradient|",
    "project": "project", "unproject": "show the controls", "latex": "LaTeX", "link": "copy link", "code": "copy as code", "copied": "copied", "copy": "copy from here:", "ignored": "of the address this was ignored:",
    "fused": "{output} is computed from the logits, in one stable line: no path from it leads through {names}. (In Python, net.graph(x, y, fused=False) writes the long way.)",
}  # fmt: skip


def passes(graph):
    """The lines in groups, each a step of the pass: one by one, those of a network layer by layer."""
    groups = {}
    for name, line in graph.lines.items():
        groups.setdefault(line.places[name][1] if line.places else name, []).append(name)
    return list(groups.values())


def backward(graph, output):
    """The groups of lines that the walk from `output` passes, from the loss down."""
    reached = below(graph.terms(), output)
    groups = ([line for line in group if line in reached] for group in reversed(passes(graph)))
    return [group for group in groups if group]


def data_names(graph):
    """The inputs that are no parameters: those called x or y, of a network its inputs and targets."""
    return [name for name in graph.inputs if parts(name).letter.partition("_")[0] in ("x", "y")]


def sheet_of(graph):
    """The sheet of a graph."""
    terms, lines = graph.terms(), graph.lines
    places = next(iter(lines.values())).places
    drawn = drawing(terms)
    shapes = [element for shape in drawn.shapes for element in live(shape)]
    size = {
        "viewBox": f"0 0 {drawn.width:g} {drawn.height:g}",
        "width": f"{drawn.width:g}",
        "height": f"{drawn.height:g}",
    }
    outputs = [line for line in lines if any(term.of == line for term in terms)]
    return {
        "format": FORMAT,
        "inputs": list(graph.inputs),
        "knobs": [name for name in graph.inputs if places is None or places[name][0] == "unit"],  # x and y of a network
        "data": data_names(graph),
        "carried": [[":".join(edge), name] for edge, name in carried(terms).items()],
        "outputs": outputs,
        "deltas": [name for name in lines if places and parts(name).letter == "z"],
        "programs": [program_of(name, line) for name, line in lines.items()],
        "passes": passes(graph),
        "math": {
            "names": {name: tree(latex_name(name)) for name in (*graph.inputs, *lines)},
            "latex": {name: latex_name(name) for name in (*graph.inputs, *lines)},
            "runs": {name: live(Text(0, 0, name_runs(name), 13))[0] for name in (*graph.inputs, *lines)},
            "lines": {name: tree(f"{latex_name(name)} = {line.latex}") for name, line in lines.items()},
            "filled": {name: _filled(name, line) for name, line in lines.items()},
            "terms": [_term(term) for term in terms],
        },
        "words": WORDS | ASKING,
        "notes": _notes(graph, terms),
        "picture": ["svg", size, *shapes],
        "layers": None,
        "tour": [],
        "functions": {},
        "swapped": [],
        "was": None,
    }


def program_of(name, line):
    """A line from the names that it uses to its value and its slopes; slots: names, constants, then a row's result each."""
    program = Program(line.names)
    value, slopes = program.add(line.tree), program.add_slopes(line.tree, line.names)
    order = [*program.inputs.values(), *program.constants, *(result for _, result, _ in program.rows)]
    slot = {old: new for new, old in enumerate(order)}
    return {
        "name": name,
        "text": str(line),
        "uses": list(line.names),
        "constants": list(program.constants.values()),
        "rows": [[operation, *(slot[arg] for arg in args)] for operation, _, args in program.rows],
        "value": slot[value],
        "slopes": [slot[found] for found in slopes],
    }


def _filled(name, line):
    """The line with places for its numbers, down to its value."""
    middle = "" if line.template is None else f" = {line.template}"
    return tree(f"{latex_name(name)} = {line.latex}{middle} = ⟪{name}⟫")


def _term(term):
    shown = term.formula if term.shortcut is None else term.shortcut
    steps = dict.fromkeys(latex_formula(formula) for formula in (term.formula, shown) if not formula.is_Number)
    return {
        "factor": tree(factor(shown)),
        "latex": factor(shown),
        "steps": [tree(step) for step in steps],
        "numbers": tree(template(shown)) if shown.args and shown.free_symbols else None,
    }


def _notes(graph, terms):
    """Why the activations of a fused loss have no path to it."""
    reached = below(terms, graph.output)
    idle = [name for name, line in graph.lines.items() if line.places and name not in reached]
    return [WORDS["fused"].format(output=graph.output, names=", ".join(idle))] if idle else []
