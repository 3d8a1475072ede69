"""Where a mistake may sit in a network, and what one may look at there."""

from dataclasses import dataclass

from ..functions.losses import Loss
from ..notation import parts


@dataclass(frozen=True)
class Place:
    """Where a mistake sits: the edge (of, wrt) whose term is wrong in layer {l}; {c} is the layer below.

    {into} is what the layer's activation is applied to, Z{l} (S{l} where it is normalised), {b} what is added there.
    """

    spoilt: tuple
    layers: tuple = (None, None)  # which of 1, 2, ..., the last, as the bounds of a slice
    rule: str | None = None  # that the term must have
    normalised: bool = False  # it can be made in normalised layers only
    each: bool = False  # it may also sit in one layer alone
    fused: tuple | None = None  # the edge in its stead where the output is fused
    shown: tuple | None = None  # the edge that a learner should look at, where that is another
    flows: bool = True  # it spoils all below; of what does not, any layer may be right
    sums: bool = False  # what arrives is a sum, and may cancel
    alone: bool = False  # it spoils one array and leaves every other right

    def spots(self, layers):
        """The layers to try it in: None for all together, then, from the last down, the number of each."""
        return [None] * (not self.alone) + [*reversed(self.edges(layers, False))] * (self.each or self.alone)

    def edges(self, layers, fused):
        """The edge that is spoilt, by the numbers of the layers in which it can be."""
        edge = self.fused if fused and self.fused else self.spoilt
        fitting = [layer for layer in layers[slice(*self.layers)] if layer.normalised or not self.normalised]
        return {layer.number: _in_layer(edge, layer) for layer in fitting}

    def edge_to_show(self, layer, spoilt):
        """The edge at which a learner should look; the penalty has none to a bias, and that is the point of it."""
        return _in_layer(self.shown, layer) if self.shown else spoilt


def _in_layer(edge, layer):
    of, wrt = (name.format(l=layer, c=layer.number - 1, into=layer.into, b=layer.shift) for name in edge)
    return of, wrt


LAST, ABOVE_THE_FIRST, BELOW_THE_LAST = (-1, None), (1, None), (None, -1)
LOSS = Place(("L", "A{l}"), LAST, fused=("L", "Z{l}"))
OUTPUT = Place(("A{l}", "Z{l}"), LAST, fused=("L", "Z{l}"))
RAW = Place(("Z{l}", "A{c}"), LAST, shown=("A{l}", "Z{l}"))
HIDDEN = Place(("A{l}", "{into}"), BELOW_THE_LAST, "times")
EACH_HIDDEN = Place(("A{l}", "{into}"), BELOW_THE_LAST, "times", each=True)
ALL_SLOPES = Place(("A{l}", "{into}"), rule="times")
EACH_SLOPE = Place(("A{l}", "{into}"), rule="times", each=True)
THROUGH = Place(("Z{l}", "A{c}"), ABOVE_THE_FIRST, each=True)
WEIGHTS = Place(("Z{l}", "W{l}"), flows=False)
BIAS = Place(("{into}", "{b}"), flows=False, sums=True)
PENALTY = Place(("L", "W{l}"), flows=False)
PENALTY_ON_BIAS = Place(("{into}", "{b}"), flows=False, sums=True, shown=("L", "{b}"))
WEIGHTS_ALONE = Place(("Z{l}", "W{l}"), flows=False, alone=True)
BIAS_ALONE = Place(("{into}", "{b}"), flows=False, alone=True)
SCALE_ALONE = Place(("{into}", "gamma{l}"), flows=False, normalised=True, alone=True)
VARIANCE = Place(("N{l}", "var{l}"), normalised=True, each=True)
MEAN = Place(("C{l}", "mu{l}"), normalised=True, each=True)


@dataclass
class Situation:
    """What a pull may look at: the trace, n examples and k outputs, the network's kind, the gradient so far, the constant."""

    trace: dict
    n: int
    outputs: int
    mean: bool
    l2: float
    loss: Loss
    layers: tuple
    gradient: dict | None = None
    constant: float = 0.0

    def row(self, term):
        """The activation of the term's layer, as a row of the table of functions."""
        return self.layer(term).row

    def layer(self, term):
        """The layer of a term, as the network knows it."""
        return self.layers[parts(term.of).layer - 1]

    def value_of(self, term):
        """What the activation of a term's layer made, without what a skip adds to it."""
        return self.row(term).value(self.trace[term.wrt])

    @property
    def output(self):
        """The last A."""
        return self.trace[f"A{len(self.layers)}"]

    @property
    def fused(self):
        """Whether the loss goes from the logits at once."""
        return self.loss.fused is not None

    def long_way(self):
        """dL/dA of a fused loss, which its fused form never needs."""
        return self.loss.long_way(self.output, self.trace["Y"]) / (self.n if self.mean else 1)

    def below(self, term):
        """What came into the layer of a term of Z: X or the A below."""
        return self.trace[self.layer(term).below]
