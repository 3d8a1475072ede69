"""Where a mistake may sit in a network, and what one may look at there."""

from dataclasses import dataclass

from ..functions.activations import ACTIVATIONS
from ..functions.losses import Loss
from ..notation import parts, what_comes_in


@dataclass(frozen=True)
class Place:
    """Where a mistake sits: the edge (of, wrt) whose term is wrong in layer {l}; {c} is the layer below."""

    spoilt: tuple
    layers: tuple = (None, None)  # which of 1, 2, ..., the last, as the bounds of a slice
    rule: str | None = None  # that the term must have
    each: bool = False  # it may also sit in one layer alone
    fused: tuple | None = None  # the edge in its stead where the output is fused
    shown: tuple | None = None  # the edge that a learner should look at, where that is another
    flows: bool = True  # it spoils all below; of what does not, any layer may be right
    sums: bool = False  # what arrives is a sum, and may cancel
    alone: bool = False  # it spoils one array and leaves every other right

    def spots(self, depth):
        """The layers to try it in: None for all together, then, from the last down, the number of each."""
        return [None] * (not self.alone) + [*reversed(self.edges(depth, False))] * (self.each or self.alone)

    def edges(self, depth, fused):
        """The edge that is spoilt, by the layers in which it can be."""
        edge = self.fused if fused and self.fused else self.spoilt
        return {layer: _in_layer(edge, layer) for layer in range(1, depth + 1)[slice(*self.layers)]}

    def edge_to_show(self, layer, spoilt):
        """The edge at which a learner should look; the penalty has none to a bias, and that is the point of it."""
        return _in_layer(self.shown, layer) if self.shown else spoilt


def _in_layer(edge, layer):
    of, wrt = (name.format(l=layer, c=layer - 1) for name in edge)
    return of, wrt


LAST, ABOVE_THE_FIRST, BELOW_THE_LAST = (-1, None), (1, None), (None, -1)
LOSS = Place(("L", "A{l}"), LAST, fused=("L", "Z{l}"))
OUTPUT = Place(("A{l}", "Z{l}"), LAST, fused=("L", "Z{l}"))
RAW = Place(("Z{l}", "A{c}"), LAST, shown=("A{l}", "Z{l}"))
HIDDEN = Place(("A{l}", "Z{l}"), BELOW_THE_LAST, "times")
EACH_HIDDEN = Place(("A{l}", "Z{l}"), BELOW_THE_LAST, "times", each=True)
ALL_SLOPES = Place(("A{l}", "Z{l}"), rule="times")
EACH_SLOPE = Place(("A{l}", "Z{l}"), rule="times", each=True)
THROUGH = Place(("Z{l}", "A{c}"), ABOVE_THE_FIRST, each=True)
WEIGHTS = Place(("Z{l}", "W{l}"), flows=False)
BIAS = Place(("Z{l}", "b{l}"), flows=False, sums=True)
PENALTY = Place(("L", "W{l}"), flows=False)
PENALTY_ON_BIAS = Place(("Z{l}", "b{l}"), flows=False, sums=True, shown=("L", "b{l}"))
WEIGHTS_ALONE = Place(("Z{l}", "W{l}"), flows=False, alone=True)
BIAS_ALONE = Place(("Z{l}", "b{l}"), flows=False, alone=True)


@dataclass
class Situation:
    """What a pull may look at: the trace, n examples and k outputs, the network's kind, the gradient so far, the constant."""

    trace: dict
    n: int
    outputs: int
    mean: bool
    l2: float
    loss: Loss
    activations: tuple
    gradient: dict | None = None
    constant: float = 0.0

    def row(self, term):
        """The activation of the term's layer, as a row of the table of functions."""
        return ACTIVATIONS[self.activations[parts(term.of).layer - 1]]

    @property
    def output(self):
        """The last A."""
        return self.trace[f"A{len(self.activations)}"]

    @property
    def fused(self):
        """Whether the loss goes from the logits at once."""
        return self.loss.fused is not None

    def long_way(self):
        """dL/dA of a fused loss, which its fused form never needs."""
        return self.loss.long_way(self.output, self.trace["Y"]) / (self.n if self.mean else 1)

    def below(self, term):
        """What came into the layer of a term of Z: X or the A below."""
        return self.trace[what_comes_in(parts(term.of).layer)]
