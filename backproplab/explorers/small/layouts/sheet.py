"""The four layouts of a dense layer, as data: where each quantity stands, and how it is computed there."""

from typing import NamedTuple

from ....paper.mathml import tree

FORMAT = 1
MOST = {"n": 6, "in": 5, "out": 5}
# A quantity's axes in the layout in rows; of those that a layout turns, the other way round.
AXES = {
    "X": ("n", "in"), "W": ("out", "in"), "b": ("1", "out"), "Z": ("n", "out"), "D": ("n", "out"),
    "dW": ("out", "in"), "dX": ("n", "in"), "db": ("1", "out"), "one": ("n", "1"),
}  # fmt: skip
LATEX = {
    "b": "b", "D": r"\delta", "one": r"\mathbf{1}",
    "dW": r"\frac{\partial L}{\partial W}", "dX": r"\frac{\partial L}{\partial X}", "db": r"\frac{\partial L}{\partial b}",
}  # fmt: skip
GIVEN = {  # small whole numbers, more than are ever shown: other numbers at every other place
    "X": ((1, 0, 2, -1, 3), (2, 1, -1, 0, 1), (0, 3, 1, 2, -2), (-1, 2, 0, 1, 1), (3, -2, 1, 0, 2), (1, 1, -3, 2, 0)),
    "W": ((1, 2, -1, 0, 3), (0, 1, 3, -2, 1), (2, -1, 1, 1, 0), (-2, 0, 1, 3, 1), (1, 1, 0, -1, 2)),
    "b": ((1, -1, 2, 0, 3),),
    "D": ((1, -1, 2, 0, 1), (0, 2, -1, 1, -2), (2, 1, 0, -1, 1), (-1, 0, 1, 2, 0), (1, 1, -2, 0, 3), (0, -1, 1, 1, 2)),
    "one": ((1,),) * 6,
}  # fmt: skip


class Layout(NamedTuple):
    """`turned` are the quantities that stand the other way round; `equations` the factors of each result and their code."""

    says: str
    turned: tuple
    equations: dict


_BACK = {"dW": "D.T @ X", "dX": "D @ W", "db": "one.T @ D"}
LAYOUTS = {
    "rows": Layout(
        "This package: one example is a row, as in a spreadsheet, and W has the shape (units out, units in). Both X and W have their inputs along the rows, so W is transposed.",
        (),
        {"Z": ("X @ W.T", "+ b", "Z = X @ W.T + b"), "dW": (_BACK["dW"], "", "dW = D.T @ X"), "dX": (_BACK["dX"], "", "dX = D @ W"), "db": (_BACK["db"], "", "db = D.sum(axis=0)")},
    ),
    "columns": Layout(
        "Many textbooks: one example is a column, so that each of them obeys z = W x + b letter for letter. The bias is a column; 1ᵀ copies it to all examples.",
        ("X", "Z", "D", "dX", "b", "db"),
        {"Z": ("W @ X", "+ b @ one.T", "Z = W @ X + b[:, None]"), "dW": ("D @ X.T", "", "dW = D @ X.T"), "dX": ("W.T @ D", "", "dX = W.T @ D"), "db": ("D @ one", "", "db = D.sum(axis=1)")},
    ),
    "PyTorch": Layout(
        "torch.nn.Linear has the layout of this package: its weight has the shape (out_features, in_features). Z.backward(D) leaves the gradients in W.grad, X.grad and b.grad.",
        (),
        {"Z": ("X @ W.T", "+ b", "Z = torch.nn.functional.linear(X, W, b)"), "dW": (_BACK["dW"], "", "W.grad  # D.T @ X"), "dX": (_BACK["dX"], "", "X.grad  # D @ W"), "db": (_BACK["db"], "", "b.grad  # D.sum(dim=0)")},
    ),
    "Keras": Layout(
        "keras.layers.Dense: examples in rows too, but its kernel W has the shape (units in, units out). Forward needs no transpose; the way back needs two.",
        ("W", "dW"),
        {"Z": ("X @ W", "+ b", "Z = X @ W + b"), "dW": ("X.T @ D", "", "dW = X.T @ D"), "dX": ("D @ W.T", "", "dX = D @ W.T"), "db": (_BACK["db"], "", "db = D.sum(axis=0)")},
    ),
}  # fmt: skip
PAIRS = {"Z": ("X", "W"), "dW": ("D", "X"), "dX": ("D", "W")}  # of which two a result is the product
TRIES = {  # each product of two that one might try, and the result that it is tried for
    f"{a}{one} @ {b}{other}": result
    for result, pair in PAIRS.items()
    for a, b in (pair, pair[::-1])
    for one in ("", ".T")
    for other in ("", ".T")
}
WORDS = {
    "layout": "Layout", "n": "examples n", "in": "units in", "out": "units out", "reset": "Reset",
    "Z": "Forward", "dW": "Onto the weights", "dX": "Through the weights", "db": "Onto the bias", "given": "δ = ∂L/∂Z, called D in code, comes from above. Choose an entry of any matrix: it lights up wherever it stands, with the row and the column that make it.",
    "entryX": "X, example {i}, input {j}", "entryW": "the weight to unit {i} from input {j}", "entryb": "the bias of unit {j}", "entryZ": "Z, example {i}, unit {j}", "entryD": "δ, example {i}, unit {j}",
    "entrydW": "∂L/∂W, to unit {i} from input {j}", "entrydX": "∂L/∂X, example {i}, input {j}", "entrydb": "∂L/∂b, unit {j}",
    "says": "{entry}: {number}", "made": "{sum} = {number}", "place": "row {row}, column {column}", "matrix": "{name}, {rows} by {columns}",
    "places": "The same number in each layout", "where": "where it stands", "of": "has the shape", "shape": "({rows}, {columns})", "flatshape": "({units},)", "flatplace": "entry {unit}",
    "try": "Try a product", "product": "the product", "for": "for {result}",
    "triedapart": "{product} does not exist: {a} has {left} columns ({leftaxis}), {b} has {right} rows ({rightaxis}). They do not meet.",
    "triedright": "Right. The {left} of {leftaxis} meet and are summed; what is left has {rows} rows and {columns} columns, the shape of {result}.",
    "triedturned": "The shapes meet, and every number is there, but at another place: this is {result} transposed, with {rows} rows and {columns} columns.",
    "triedchance": "The shapes meet only because {leftaxis} and {rightaxis} are both {left}: no error, and other numbers than {result}. Change one size, and it breaks.",
    "triedsame": "The shapes meet only because {leftaxis} and {rightaxis} are both {left}. At these sizes even the numbers agree; change one size, and it breaks.",
    "axisn": "examples", "axisin": "units in", "axisout": "units out", "axis1": "1",
    "nothing": "nothing", "stays": "The page still shows the last good state.",
    "agrees": "NumPy finds the same numbers", "differs": "NumPy finds other numbers; the largest difference is", "nokernel": "the kernel does not answer; the page goes on without it", "kernelerror": "the kernel says",
}  # fmt: skip


def latex_of(text):
    """A product such as "X @ W.T" in LaTeX; one of the texts above."""
    factors = (name for name in text.split(" @ "))
    return r" \, ".join(
        LATEX.get(name.removesuffix(".T"), name[0]) + (r"^{\top}" if name.endswith(".T") else "") for name in factors
    )


def _formula(result, product, added):
    """An equation of a layout as MathML."""
    more = f" + {latex_of(added.removeprefix('+ '))}" if added else ""
    return tree(f"{LATEX.get(result, result)} = {latex_of(product)}{more}")


def sheet_of():
    """The sheet: the layouts, the numbers, the formulas, the words."""
    names = [*AXES, *(f"{name}.T" for name in (*PAIRS["Z"], "D", "one"))]
    return {
        "format": FORMAT,
        "words": WORDS,
        "most": MOST,
        "axes": AXES,
        "given": GIVEN,
        "tries": TRIES,
        "layouts": [
            {"name": name, "says": layout.says, "turned": layout.turned, "equations": [_equation(*row) for row in layout.equations.items()]}
            for name, layout in LAYOUTS.items()
        ],
        "math": {name: tree(latex_of(name)) for name in names},
    }  # fmt: skip


def _equation(result, row):
    product, added, code = row
    return {"result": result, "product": product, "added": added, "code": code, "math": _formula(result, product, added)}  # fmt: skip
