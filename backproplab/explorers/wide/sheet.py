"""The sheet of a wide network: its tensors, how the entries of each come about, the words, and what is too large to be shown."""

import numpy as np

from ...notation import latex_layer, parts
from ...paper.mathml import tree
from ...paper.sums import recipe, whole

MOST_PARAMETERS, MOST_EXAMPLES, MOST_LAYERS, MOST_NUMBERS = 5_000_000, 4096, 32, 20_000_000
MOST_PRODUCTS = 2_000_000_000  # of a parameter and an example: seconds for each move
WORDS = {
    "example": "Example", "entry": "Derivative with respect to", "row": "row", "column": "column", "show": "Show", "value": "values", "gradient": "gradients",
    "rate": "Rate", "update": "Update", "play": "Play", "pause": "Pause", "many": "10 updates", "reset": "Reset", "typed": "typed", "layers": "the tensors, layer by layer",
    "input": "input", "layer": "layer", "loss": "loss", "examples": "examples",
    "cells": "each cell is the largest of {rows} × {columns} entries", "of": "of example", "none": "no gradient",
    "help": "Blue is below zero, red above; ± is the largest size in a tensor, its deepest colour. Arrow keys move over the cells; Enter or a click opens the sum behind an entry, and frames what it is made of.", "at": "example",
    "sum": "the terms of the sum", "unit": "unit", "total": "sum over {count} {over}", "over_n": "examples", "over_k": "units of the layer above", "slope": "slope",
    "direct": "L2 part", "times": "times the slope", "plus": "plus the L2 part", "whole": "Choose a cell, or type its row and column, to see the sum behind its gradient.",
    "bars": "each bar is one product; together they are the gradient", "loss_plot": "The loss as it falls", "after": "after {count} updates", "before": "before any update", "all": "All losses",
    "stays": "The page still shows the last good numbers.", "notnumber": "a number is wanted, such as 0.1 or 1e-3, above 0 and up to 1e300", "noplace": "{what} must be a whole number from 1 to {most}",
    "stopped": "Stopped after {done} of {times} updates", "needskernel": "This page was saved without a kernel, and does not hold the numbers of this sum.", "saved": "Saved without a kernel: example, cells and sums live on; updates need the kernel, as do sums over numbers that the page does not hold.",
    "still": "{names} as cells, blue below zero, red above; L = {loss}", "nokernel": "the kernel does not answer", "kernelerror": "the kernel says", "strange": "the kernel's answer does not fit this page",
    "fused": "{output} is computed from the logits {logits}, in one stable line: no path from it leads through {names}, which has no gradient.",
}  # fmt: skip


def sheet_of(net, trace, gradient):
    """The sheet of a network: its tensors in layers, how the entries of each come about, and the words."""
    n, tensors = len(trace["X"]), []
    for name, value in trace.items():
        letter, layer, _ = parts(name)
        if letter == "L":
            continue
        fused = WORDS["fused"].format(output="L", logits=f"Z{layer}", names=name)
        tensors.append({
            "name": name,
            "shape": list(value.shape),
            "layer": net.depth + 1 if letter == "Y" else layer,
            "math": tree(latex_layer(name)),
            "recipe": recipe(net, name, n),
            "whole": whole(net, name),
            "why": "" if name in gradient else fused,
        })  # fmt: skip
    about = [f"{layer}: {layer.activation}" for layer in net.layers]
    titles = [WORDS["input"], *(f"{WORDS['layer']} {text}" for text in about), f"{WORDS['loss']}: {net.loss_name}"]
    return {"tensors": tensors, "titles": titles, "examples": n, "l2": net.l2, "words": WORDS}


def check_size(net, X):
    """ValueError: more than a page can show, with the counts."""
    if any(layer.skip for layer in net.layers):
        raise ValueError(
            "explore: of a net with skips only a small one is shown, unit by unit; take fewer units, or fewer rows of X"
        )
    parameters = sum(value.size for value in net.parameters.values())
    n = len(X) if np.ndim(X) == 2 else 1
    for found, most, what in (
        (parameters, MOST_PARAMETERS, "parameters"),
        (n, MOST_EXAMPLES, "examples"),
        (net.depth, MOST_LAYERS, "layers"),
        (n * parameters, MOST_PRODUCTS, "products of parameters and examples"),
        (n * sum(net.sizes), MOST_NUMBERS, "numbers in X and the A of its layers"),
    ):
        if found > most:
            raise ValueError(
                f"explore: {found} {what}, more than the {most} that a page can show; explore a smaller network or fewer rows of X"
            )
