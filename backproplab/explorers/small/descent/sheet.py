"""The sheet of a descent: the surfaces, what each optimizer writes down at a step, and the words of the page."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from ....models.graph import Graph
from ....notation import latex_name, name_runs
from ....paper.mathml import tree
from ....pictures.files import live
from ....pictures.shapes import Text
from ...sheet import program_of
from .contours import contour_map

FORMAT = 1
OWN = "your own"
REACH = 4.0  # a map without ranges of its own goes at least so far from 0
WORDS = {
    "surface": "surface", "start": "start", "optimizer": "optimizer", "rate": "learning rate α", "momentum": "momentum μ", "against": "compare with", "against_rate": "its learning rate α", "nobody": "nothing", "steps": "steps", "typed": "typed",
    "map": "the surface from above, with the way down", "losses": "the loss L over the steps", "loss": "{output} over the steps", "logarithmic": ", logarithmic", "step": "step", "of": "of", "gives": "gives", "is": "is", "at": "at",
    "first": "to the start", "back": "one step back", "next": "one step on", "last": "to the last step", "play": "play", "pause": "pause", "reset": "Reset", "drag": "Drag the start on the map, or move it with the arrow keys.", "handle": "the start: arrow keys move it",
    "lens": "This step, magnified", "lenslabel": "the arrows of this step, magnified", "downhill": "−α g, what the gradient alone would do", "direction": "the direction of −g, as long as the update", "carried": "−α μ v, what the velocity carries over", "straight": "the update, −α g", "update": "the update, which is done",
    "numbers": "Numbers of this step", "point": "point", "gradient": "gradient g", "moves": "update", "formulas": "The rule, with the numbers of this step", "quantity": "quantity",
    "below": "{optimizer} converges on this quadratic below α = {formula} = {limit}, where λ = {curvature} is its largest curvature", "holds": "{rate} is below it.", "breaks": "{rate} is not.",
    "shrinks": "In the long run a step leaves {factor} of the distance to the minimum", "best": "; at best {factor}, with α = {rate}", "bestbeta": " and μ = {beta}",
    "ends": "{optimizer}: {output} = {loss} after {count} steps.", "leaves": "{optimizer} diverges: with α = {rate} it has left the map at step {at}, and after {count} steps {output} has grown from {first} to {loss}.",
    "stopped": "{optimizer} diverges: with α = {rate} it stops at step {at}, where {output} = {loss}; at the next point, {point}, {output} or its gradient is not finite.",
    "notnumber": "a number is wanted, such as -0.5 or 1e-3", "notrate": "a learning rate above 0 and at most 1000 is wanted, such as 0.05", "notmomentum": "a momentum from 0 to below 1 is wanted, such as 0.9", "notsteps": "a whole number of steps from 1 to 1000 is wanted", "offmap": "a start on the map is wanted, {name} from {low} to {high}", "stays": "The page still shows the last good numbers.", "found": "found", "nothing": "nothing",
    "noloss": "{output} or its gradient is not finite at this start; choose another one",
    "agrees": "NumPy takes the same steps", "differs": "NumPy goes elsewhere; the largest distance is", "rounding": "NumPy agrees but for rounding: these steps magnify the last digit of a number",
    "kernelerror": "the kernel says", "nokernel": "the kernel does not answer; the page goes on without it",
}  # fmt: skip

# --- surfaces ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Surface:
    """A loss of two numbers: its graph, the numbers' names, the map's ranges, a good start; of a quadratic its least and largest curvature."""

    graph: Graph
    ranges: tuple
    start: tuple
    curvatures: tuple | None = None

    @property
    def names(self):
        """The two inputs that move: those for which the graph holds no number."""
        return tuple(name for name in self.graph.inputs if name not in self.graph.numbers)

    def on_map(self, point):
        """Whether a point lies in the ranges."""
        return all(low <= number <= high for number, (low, high) in zip(point, self.ranges, strict=True))


# The closed table: name -> line, ranges of x and y, a good start, the least and the largest curvature of a quadratic.
SURFACES = {
    name: Surface(Graph(L=line), *rest)
    for name, line, *rest in (
        ("ravine", "(x**2 + 25*y**2) / 2", ((-4.0, 4.0), (-2.0, 2.0)), (-3.5, 1.25), (1.0, 25.0)),
        ("saddle", "(x**2 - 2)**2 / 8 + y**2 / 2", ((-3.0, 3.0), (-2.0, 2.0)), (0.01, 1.5)),
        ("two minima", "(x**2 - 4)**2 / 16 + x/5 + y**2/2 + 1/2", ((-3.6, 3.6), (-1.8, 1.8)), (3.2, 1.25)),
    )
}


def surface_of(graph, start, ranges):
    """The reader's own surface; without `ranges` its map is as wide as powers of 2 have it, so that the start is on it."""
    surface = Surface(graph, ranges, start)
    if len(surface.names) != 2:
        raise ValueError(
            f"explore_descent: the graph must have two inputs without numbers, found {len(surface.names)} ({', '.join(surface.names) or 'none'}); "
            "give the others theirs: graph.with_numbers(...)"
        )
    if ranges is not None:
        return surface
    far = max(REACH, *(2.0 ** math.ceil(math.log2(max(abs(number), 1e-300) * 1.05)) for number in start))
    return Surface(graph, ((-far, far), (-far, far)), start)


# --- rules ------------------------------------------------------------------------------------------------------------

# Of each optimizer what it writes down at step t: in symbols, and with places for the numbers of one coordinate.
VELOCITY = (r"v_{t+1} = \mu v_{t} + g_{t}", r"⟪beta⟫ \cdot ⟦v⟧ + ⟦g⟧ = ⟪vnew⟫")
MOMENTS = (
    (r"m_{t+1} = \beta_{1} m_{t} + \left(1 - \beta_{1}\right) g_{t}", r"⟪beta1⟫ \cdot ⟦m⟧ + ⟪rest1⟫ \cdot ⟦g⟧ = ⟪mnew⟫"),
    (r"v_{t+1} = \beta_{2} v_{t} + \left(1 - \beta_{2}\right) g_{t}^{2}", r"⟪beta2⟫ \cdot ⟦u⟧ + ⟪rest2⟫ \cdot ⟦g⟧^{2} = ⟪unew⟫"),
    (r"\hat{m} = \frac{m_{t+1}}{1 - \beta_{1}^{t+1}}", r"\frac{⟪mnew⟫}{⟪bias1⟫} = ⟪mhat⟫"),
    (r"\hat{v} = \frac{v_{t+1}}{1 - \beta_{2}^{t+1}}", r"\frac{⟪unew⟫}{⟪bias2⟫} = ⟪uhat⟫"),
)  # fmt: skip
ADAPTED = r"\frac{\hat{m}}{\sqrt{\hat{v}} + \epsilon}", r"\frac{⟪mhat⟫}{\sqrt{⟪uhat⟫} + ⟪eps⟫} = ⟪new⟫"
RULES = {
    "SGD": (
        "Each step goes straight down the gradient g, as far as α says. Where the ravine is steep it jumps from wall to wall; along its floor it creeps.",
        [(r"\theta_{t+1} = \theta_{t} - \alpha g_{t}", r"⟪old⟫ - ⟪rate⟫ \cdot ⟦g⟧ = ⟪new⟫")],
    ),
    "momentum": (
        "The velocity v remembers: it keeps μ of itself and adds the new gradient. Gradients that keep their sign add up, to as much as 1/(1 − μ) = {reach} of one; those that change it cancel.",
        [VELOCITY, (r"\theta_{t+1} = \theta_{t} - \alpha v_{t+1}", r"⟪old⟫ - ⟪rate⟫ \cdot ⟦vnew⟧ = ⟪new⟫")],
    ),
    "Nesterov": (
        "As momentum, but the step looks ahead: it goes where the velocity will carry it next, which brakes earlier when the gradient turns.",
        [VELOCITY, (r"\theta_{t+1} = \theta_{t} - \alpha \left(g_{t} + \mu v_{t+1}\right)", r"⟪old⟫ - ⟪rate⟫ \cdot \left(⟪g⟫ + ⟪beta⟫ \cdot ⟦vnew⟧\right) = ⟪new⟫")],
    ),
    "RMSProp": (
        "Each coordinate is divided by the size its gradients had of late, the root of s: steep and flat directions go equally fast. Since s begins at 0, the first step is α/√(1 − ρ) long in each coordinate.",
        [
            (r"s_{t+1} = \rho s_{t} + \left(1 - \rho\right) g_{t}^{2}", r"⟪decay⟫ \cdot ⟦s⟧ + ⟪rest⟫ \cdot ⟦g⟧^{2} = ⟪snew⟫"),
            (r"\theta_{t+1} = \theta_{t} - \alpha \frac{g_{t}}{\sqrt{s_{t+1}} + \epsilon}", r"⟪old⟫ - ⟪rate⟫ \cdot \frac{⟪g⟫}{\sqrt{⟪snew⟫} + ⟪eps⟫} = ⟪new⟫"),
        ],
    ),
    "Adam": (
        "Momentum for the direction (m), RMSProp for the size (v); both begin at 0, and the hats mend that. A first step is α long in each coordinate.",
        [*MOMENTS, (rf"\theta_{{t+1}} = \theta_{{t}} - \alpha {ADAPTED[0]}", rf"⟪old⟫ - ⟪rate⟫ \cdot {ADAPTED[1]}")],
    ),
    "AdamW": (
        "Adam, and apart from it each weight shrinks by the share αλ: it is pulled to 0, wherever the minimum lies.",
        [*MOMENTS, (rf"\theta_{{t+1}} = \left(1 - \alpha \lambda\right) \theta_{{t}} - \alpha {ADAPTED[0]}", rf"⟪kept⟫ \cdot ⟦old⟧ - ⟪rate⟫ \cdot {ADAPTED[1]}")],
    ),
}  # fmt: skip
HAVE_MOMENTUM = ("momentum", "Nesterov")
# The largest rate at which an optimizer converges on a quadratic: in words, and from the largest curvature and beta.
# The two eigenvalues of a step along one eigenvector, (x, v) -> (x, v), have the product d and the sum s; both are below 1
# in size if |d| < 1 and |s| < 1 + d, which is these bounds for x = x - eta v and x = x - eta (g + beta v).
LIMITS = {
    "SGD": ("2/λ", lambda curvature, beta: 2 / curvature),
    "momentum": ("2(1 + μ)/λ", lambda curvature, beta: 2 * (1 + beta) / curvature),
    "Nesterov": ("2(1 + μ)/((1 + 2μ)λ)", lambda curvature, beta: 2 * (1 + beta) / ((1 + 2 * beta) * curvature)),
}


def limit_of(surface, optimizer, momentum):
    """The largest rate at which the optimizer converges, None where no theory says it."""
    if surface.curvatures is None or optimizer not in LIMITS:
        return None
    return LIMITS[optimizer][1](surface.curvatures[1], momentum)


# --- the sheet --------------------------------------------------------------------------------------------------------


def sheet_of(surfaces, constants):
    """The sheet of several surfaces by name; `constants` are the optimizers' numbers that nobody sets."""
    return {
        "format": FORMAT,
        "words": WORDS,
        "surfaces": [{"name": name} | _surface(surface) for name, surface in surfaces.items()],
        "rules": [_rule(name, *row) for name, row in RULES.items()],
        "limits": [[name, text] for name, (text, _) in LIMITS.items()],
        "constants": constants,
    }


def _rule(name, says, lines):
    written = [[tree(symbols), tree(numbers), tree(numbers)] for symbols, numbers in lines]
    return {"name": name, "says": says, "lines": written, "beta": name in HAVE_MOMENTUM}


@cache
def _surface(surface):
    graph, output = surface.graph, surface.graph.output
    names = (*surface.names, output)
    return {
        "inputs": list(graph.inputs),
        "output": output,
        "moving": list(surface.names),
        "numbers": graph.numbers,
        "programs": [program_of(name, line) for name, line in graph.lines.items()],
        "ranges": [list(pair) for pair in surface.ranges],
        "start": list(surface.start),
        "curvatures": surface.curvatures and list(surface.curvatures),
        "contours": contour_map(heights(surface, *grid(surface))),
        "math": {
            "names": [tree(latex_name(name)) for name in names],
            "runs": [live(Text(0, 0, name_runs(name), 13))[0] for name in names],
            "lines": [tree(f"{latex_name(name)} = {line.latex}") for name, line in graph.lines.items()],
        },
    }


def grid(surface, across=97, up=65):
    """The numbers at which a map is computed, from left to right and from low to high."""
    (left, right), (low, high) = surface.ranges
    return np.linspace(left, right, across), np.linspace(low, high, up)


def heights(surface, xs, ys):
    """The loss at every pair, in rows of equal y; not finite where it has no value."""
    x, y = surface.names
    values = surface.graph.run(surface.graph.numbers | {x: xs[None, :], y: ys[:, None]})[surface.graph.output]
    return np.broadcast_to(np.asarray(values, dtype=float), (len(ys), len(xs)))
