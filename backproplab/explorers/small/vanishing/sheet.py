"""The sheet of the explorer: its words, nets worth a look, the step back in symbols, and the nets that a saved page holds."""

import itertools
import math
from dataclasses import asdict, replace

from ....functions.activations import ACTIVATIONS
from ....models.layers.initial import WAYS
from ....notation import number
from ....paper.mathml import tree
from .sizes import Factor, sizes_of
from .states import DEPTHS, WIDTHS

FORMAT = 1
HOLDS = 100.0  # times that delta may grow or shrink in all and still be said to hold
WORDS = {
    "depth": "layers", "width": "units in each", "activation": "activation", "init": "weights", "number": "normal, σ", "size": "standard deviation of the weights", "batch_norm": "batch normalisation", "residual": "residuals", "seed": "draw again", "seeded": "seed {seed}", "reset": "Reset", "typed": "typed", "try": "Try",
    "vanishes": "δ vanishes", "holds": "δ holds", "explodes": "δ explodes", "path": "On the way back each step multiplies it by about {factor}: from {first} in layer {depth} to {last} in layer 1.",
    "still": "each step back multiplies it by about {factor}: {first} in layer {depth}, {last} in layer 1",
    "slow": "One step of gradient descent moves the weights of layer 1 some {times} times less than those of layer {depth}: with one learning rate for all, the first layers stand still.", "fast": "The gradient of layer 1 is some {times} times that of layer {depth}: a learning rate that suits one of them ruins or freezes the other.", "both_holds": "Layer 1 gets a gradient of size {first}, layer {depth} one of {last}: all layers can learn, if not equally fast.", "both_vanishes": "The gradients of layer 1 and layer {depth} are of like size, but small ({first} and {last}): the activations shrink on the way forward as δ does on the way back. No layer learns much.", "both_explodes": "The gradients of layer 1 and layer {depth} are of like size, but huge ({first} and {last}): the activations grow on the way forward as δ does on the way back. Every step goes much too far.",
    "silent": "Nothing arrives: δ is 0 from layer {layer} down", "silent_why": "A product of zeros, or of numbers too small for float64, is 0: these layers do not learn at all.",
    "forward": "The pass forward ends in layer {layer}: {name} is past float64", "loss": "The pass forward ends at the loss: {name} is past float64", "forward_why": "No loss, so no gradient in any layer.", "backward": "δ is past float64 from layer {layer} down", "backward_why": "Forward all numbers are finite; on the way back they grow beyond 1.8·10³⁰⁸.",
    "why": "Each step back, on average:", "dead": "{dead} of {units} hidden units are dead: their slope is 0 in every row, so nothing passes back through them.",
    "sizes": "Size of δ and of the gradient in each layer", "sizes_label": "the size of delta and of dL/dW, layer by layer, in powers of ten", "deltas": "δ = ∂L/∂Z", "gradients": "∂L/∂W", "predicted": "δ as the product of the factors has it", "largest": "root mean square; thin lines reach up to the largest entry", "back": "backward: δ goes this way", "layer": "layer", "zero": "0", "past_float": "past float64", "no_numbers": "no numbers",
    "factors": "What each step back multiplies δ by", "factors_label": "the factors of each step back, in powers of ten", "below": "below: δ shrinks", "above": "above: δ grows", "weights": "weights", "slopes": "slopes", "norm": "normalisation", "past": "past the layer", "product": "product", "together": "together", "ratio": "measured", "dead_units": "dead units", "dead_short": "dead",
    "step": "The step back from layer {layer} to layer {below}", "choose": "step back from layer", "weights_is": "|δW| / |δ|: how much W stretches δ", "slopes_is": "|g′|, the slopes of the activation in layer {below}", "norm_is": "back through the normalisation: 1 / spread of Z", "past_is": "what arrives past the layer, unchanged", "product_is": "weights × slopes", "product_norm_is": "weights × slopes × normalisation", "together_is": "√(product² + past²)", "ratio_is": "|δ| in layer {below} / |δ| in layer {layer}", "dead_is": "in layer {below}: slope 0 in every row",
    "size_is": "The size |·| of an array is the root mean square of its entries. The product is an estimate: it takes slopes and δ as independent of each other, and so do two ways that add up.", "on_the_norm": "and back through the normalisation to δ",
    "of": "of", "and": "and", "from_to": "|δ| goes from {from} in layer {layer} to {to} in layer {below}.", "stays": "The page still shows the last good net.", "found": "found", "nothing": "nothing", "notdepth": "a whole number of layers from {low} to {high} is wanted", "notsize": "a standard deviation from 0 to 1e100 is wanted, such as 0.1",
    "saved": "Saved without a kernel: this page holds nets of {depths} layers with {activations}; weights {inits}; batch normalisation and residuals on or off. Other settings go to the nearest of these.", "snapped": "This saved page holds no net with {asked}; shown is {shown}.", "kernelerror": "the kernel says", "nokernel": "the kernel does not answer; the page shows the last net that it computed",
}  # fmt: skip
# Nets worth a look: what is said on the button, and what it sets.
PRESETS = (
    ("sigmoid, small weights", {"activation": "sigmoid", "init": 0.1, "batch_norm": False, "residual": False}),
    ("sigmoid, Xavier", {"activation": "sigmoid", "init": "xavier", "batch_norm": False, "residual": False}),
    ("tanh, Xavier", {"activation": "tanh", "init": "xavier", "batch_norm": False, "residual": False}),
    ("relu, He", {"activation": "relu", "init": "he", "batch_norm": False, "residual": False}),
    ("relu, large weights", {"activation": "relu", "init": 2.0, "batch_norm": False, "residual": False}),
    ("large weights, normalised", {"activation": "relu", "init": 2.0, "batch_norm": True, "residual": False}),
    ("sigmoid, residuals", {"activation": "sigmoid", "init": "xavier", "batch_norm": False, "residual": True}),
)
# What is known of the slopes of an activation, and of how much weights stretch; it stands beside their numbers.
NOTES = {
    "sigmoid": "a sigmoid's are at most 1/4",
    "tanh": "at most 1, less where tanh saturates",
    "relu": "0 or 1; as many of each give √½ = 0.71",
    "identity": "always 1",
    "xavier": "about 1, for the variance is 1/units",
    "he": "about √2, for the variance is 2/units",
    "orthogonal": "1, for W only turns δ",
    "number": "about σ √units",
}
STEP = r"\delta^{(l-1)} = \left(\delta^{(l)} \, W^{(l)}\right) \odot g'\left(Z^{(l-1)}\right)"
STEPS = {  # by batch normalisation and residuals: one step back
    "00": STEP,
    "10": r"\frac{\partial L}{\partial S^{(l-1)}} = \left(\delta^{(l)} \, W^{(l)}\right) \odot g'\left(S^{(l-1)}\right)",
    "01": r"\delta^{(l-1)} = \left(\delta^{(l)} \, W^{(l)} + \frac{\partial L}{\partial A^{(l)}}\right) \odot g'\left(Z^{(l-1)}\right)",
    "11": r"\frac{\partial L}{\partial S^{(l-1)}} = \left(\delta^{(l)} \, W^{(l)} + \frac{\partial L}{\partial A^{(l)}}\right) \odot g'\left(S^{(l-1)}\right)",
}
# What a saved page holds; width and seed are those of the explorer.
AXES = {
    "depth": (5, 10, 20, 50),
    "activation": ("sigmoid", "tanh", "relu"),
    "init": ("xavier", "he", "orthogonal", 0.1, 2.0),
    "batch_norm": (False, True),
    "residual": (False, True),
}


def sheet_of():
    """The sheet of a live page."""
    return {
        "format": FORMAT,
        "words": WORDS,
        "presets": [[name, changes] for name, changes in PRESETS],
        "depths": DEPTHS,
        "widths": WIDTHS,
        "activations": list(ACTIVATIONS),
        "inits": list(WAYS),
        "notes": NOTES,
        "steps": {key: tree(latex) for key, latex in STEPS.items()},
    }


def view_of(sizes, digits=17):
    """What a page draws of a net: columns over its layers, None where there is no number; a column without any is left out."""
    columns = {"deltas": sizes.deltas, "gradients": sizes.gradients, "dead": sizes.dead}
    columns["delta_peaks"] = list(map(_peak, sizes.largest_deltas, sizes.deltas))
    columns["gradient_peaks"] = list(map(_peak, sizes.largest_gradients, sizes.gradients))
    columns |= {name: [factor[i] for factor in sizes.factors] for i, name in enumerate(Factor._fields)}
    view = {name: [_short(value, digits) for value in column] for name, column in columns.items()}
    view = {name: column for name, column in view.items() if any(value is not None for value in column)}
    if not any(sizes.dead):
        del view["dead"]
    word, factor = outcome(sizes)
    means = {name: _short(mean(view[name]), digits) for name in Factor._fields if name in view}
    about = {"outcome": word, "zeros": zeros_from(sizes), "factor": _short(factor, digits), "means": means}
    return view | about | {"overflow": sizes.overflow and list(sizes.overflow)}


def mean(column):
    """The geometric mean of the numbers above 0; None where there are none."""
    logs = [math.log(value) for value in column if value]
    return math.exp(math.fsum(logs) / len(logs)) if logs else None


def _peak(largest, size):
    """How many times the largest entry is as large as the root mean square."""
    return largest / size if size else None


def _short(value, digits):
    return (
        None
        if value is None or math.isnan(value)
        else value
        if isinstance(value, int)
        else float(f"{value:.{digits}g}")
    )


def grid_of(state):
    """The views of all nets that a saved page holds, in the order of `AXES`, the last axis quickest."""
    combinations = itertools.product(*AXES.values())
    states = [replace(state, **dict(zip(AXES, values, strict=True))) for values in combinations]
    return {"axes": AXES, "views": [view_of(sizes_of(one), 3) for one in states]}


def outcome(sizes):
    """(a word of `WORDS`, the factor of a step on average): what becomes of delta on its way back."""
    if sizes.overflow:
        name = sizes.overflow[0]
        return ("backward" if name.startswith("delta") else "loss" if name == "L" else "forward"), None
    if sizes.deltas[0] == 0:
        return "silent", 0.0
    overall = sizes.deltas[0] / sizes.deltas[-1]
    word = "vanishes" if overall < 1 / HOLDS else "explodes" if overall > HOLDS else "holds"
    return word, overall ** (1 / (len(sizes.deltas) - 1))


def zeros_from(sizes):
    """The layer from which down delta is 0; 0 where it is nowhere so."""
    return next((layer for layer in range(len(sizes.deltas), 0, -1) if sizes.deltas[layer - 1] == 0), 0)


def title_of(state):
    """A net in words: its layers, its activation, its weights, and what mends it."""
    more = [WORDS[name] for name in ("batch_norm", "residual") if getattr(state, name)]
    init = state.init if isinstance(state.init, str) else number(state.init)
    return ", ".join([f"{state.depth} {WORDS['layer']}s of {state.width}", state.activation, init, *more])


def plain(state, sizes):
    """State and view as the page takes them."""
    return asdict(state) | {"view": view_of(sizes)}
