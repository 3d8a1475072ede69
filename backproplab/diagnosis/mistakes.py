"""The ways a gradient goes wrong: one row each, with its id, the term it spoils, how it spoils it, and its words.

Collected from course forums, question sites, and errata of published books, tutorials and libraries. A row's `pulls` take the
place of the term's own rule on its way down; all else is left to the package's terms. Variants of one mistake are several pulls.
"""

import copyreg
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..functions.activations import ACTIVATIONS
from ..functions.values import softmax
from ..notation import parts
from ..terms import RULES
from .places import (
    ALL_SLOPES,
    BIAS,
    BIAS_ALONE,
    EACH_HIDDEN,
    EACH_SLOPE,
    HIDDEN,
    LOSS,
    MEAN,
    OUTPUT,
    PENALTY,
    PENALTY_ON_BIAS,
    RAW,
    SCALE_ALONE,
    THROUGH,
    VARIANCE,
    WEIGHTS,
    WEIGHTS_ALONE,
)  # fmt: skip

# What a row's words name, where no network is given.
ANYWHERE = dict(
    l="(l)",
    u="(l+1)",
    d="(last)",
    below="A(l-1)",
    belowz="Z(l-1)",
    into="Z(l)",
    b="b(l)",
    name="W(l)",
    g="g",
    chain="dL/dA(last) * g'(Z(last))",
    n="n",
    constant="k",
)


@dataclass(frozen=True)
class Mistake:
    """A named way for a gradient to be wrong.

    `places` are tried in turn; of a mistake that takes a graph or several calls to see there are none. `says` holds two
    sentences for the learner, what was done and what is right. `pulls`, one for each variant, are functions of (term, d, at)
    that replace term.pull(d); `fits(at, layer)` says in which layers it can be made, in all if left out. A `solved` one uses an unknown
    constant, at.constant, in which the gradient is linear.
    """

    id: str
    places: tuple
    says: tuple
    pulls: tuple = ()
    fits: Callable | None = None
    solved: bool = False

    def __repr__(self):
        return f"{self.id}: {' '.join(self.says).format(**ANYWHERE).replace('n = n', 'n')}"


def _in_both_styles(pull):
    """A pull that is not linear in d, for both places of the mean: 1/n at the loss, or in each layer, D.T @ A / n, as many write it."""
    return pull, lambda term, d, at: pull(term, d * at.n, at) / at.n if at.mean else pull(term, d, at)


def _scaled(factor):
    return (lambda term, d, at: term.pull(d) * factor(at),)


def _slope(formula):
    """d times another slope, from (activation's row, Z, A)."""
    return (lambda term, d, at: d * formula(at.row(term), at.trace[term.wrt], at.trace[term.of]),)


def _has_short_form(at, layer):
    row = at.layers[layer - 1].row
    return row is not None and row.slope_from_value is not None


def _is_relu(at, layer):
    return at.layers[layer - 1].activation == "relu"


def _is_curved(at, layer):
    return not at.fused and at.layers[layer - 1].activation != "identity"


def _is_square(at, layer):
    return len(set(at.trace[f"W{layer}"].shape)) == 1


def _own_gradient(term, d, at, penalty):
    """The gradient of the W that the term pulls through: of its data part, or with the L2 part too."""
    return d.T @ at.below(term) + (at.l2 * term.value if penalty else 0.0)


def _total(d):
    """The sum of all entries; where they cancel, what another order of the additions may leave."""
    return d.sum() or np.finfo(float).eps * np.abs(d).sum()


def _turned_with_penalty(term, d, at):
    """The transpose of the whole gradient: what a square W's penalty, which is added in any case, lacks to be turned too."""
    W = at.trace[term.wrt]
    return term.pull(d).T + (at.l2 * (W.T - W) if W.shape == W.T.shape else 0.0)


def _slope_at_output(term, d, at):
    """The slope of the output taken at A: for a softmax its Jacobian there."""
    d = at.long_way() if at.fused else d
    if at.layers[-1].activation != "softmax":
        return d * ACTIVATIONS[at.layers[-1].activation].slope.value(at.output)
    return RULES["through softmax"].pull(d, softmax(at.output))


def _factor_of_all(term, d, at):
    """What makes the whole gradient `at.constant` times as large: for weights the L2 part too, which is added in any case."""
    data = at.constant * term.pull(d)
    return data + (at.constant - 1) * at.l2 * at.trace[term.wrt] if term.rule == "onto weights" else data


def _other_slope(number, everywhere):
    def pull(term, d, at):
        if not everywhere and at.row(term).slope_from_value is None:
            return term.pull(d)
        rows = [row for row in ACTIVATIONS.values() if row.slope_from_value and row is not at.row(term)]
        return d * rows[min(number, len(rows) - 1)].slope_from_value(at.value_of(term))

    return pull


# fmt: off
ROWS = [
    Mistake("sum-for-mean", (LOSS,), (
        "The gradient is that of the sum over the examples, n = {n} times too large, but the loss is their mean.",
        "Divide by n once, at the loss: dL/dA = (A - Y) / n."),
        _scaled(lambda at: at.n), lambda at, layer: at.mean),
    Mistake("mean-for-sum", (LOSS,), (
        "The gradient is that of the mean over the examples, but the loss is their sum.",
        "Leave out the division by n = {n}: with reduction=\"sum\" each example counts in full."),
        _scaled(lambda at: 1 / at.n), lambda at, layer: not at.mean),
    Mistake("mean-over-entries", (LOSS,), (
        "The mean is taken over all n * n_out entries of A - Y, as numpy's mean() does, not over the examples.",
        "The loss sums over the outputs of an example and averages over the n = {n} examples: divide by n alone."),
        _scaled(lambda at: 1 / at.outputs if at.mean else 1 / (at.n * at.outputs))),
    Mistake("batch-divided-twice", (LOSS,), (
        "The gradient is divided by n = {n} twice, at the loss and once more in the layers.",
        "Divide once, at the loss; everything behind it inherits the 1/n."),
        _scaled(lambda at: 1 / at.n if at.mean else 1 / at.n**2)),
    Mistake("factor-two", (LOSS,), (
        "Every gradient is twice the right one, since the square's 2 was kept and the loss's 1/2 forgotten.",
        "The derivative of 1/2 (a - y)^2 by a is a - y: the two cancel."),
        _scaled(lambda at: 2)),
    Mistake("factor-half", (LOSS,), (
        "Every gradient is half of the right one: a 1/2 too many.",
        "The 1/2 of the loss is used up by the square's derivative, and other losses have none."),
        _scaled(lambda at: 0.5)),
    Mistake("sign", (LOSS,), (
        "The gradient has the opposite sign: it starts from Y - A.",
        "The derivative of the loss by A points from the target to the output, A - Y; a step against it comes nearer."),
        _scaled(lambda at: -1)),
    Mistake("output-slope-missing", (OUTPUT,), (
        "The slope of the output's activation is left out: delta{d} is taken to be A{d} - Y.",
        "For the squared error dL/dZ{d} = {chain}; only a cross entropy with its own output cancels the slope."),
        (lambda term, d, at: at.long_way() if at.fused else d,), lambda at, layer: at.layers[layer - 1].activation != "identity"),
    Mistake("output-slope-extra", (OUTPUT,), (
        "delta{d} = A{d} - Y is multiplied by A{d} (1 - A{d}) once more.",
        "With a cross entropy the slope of the output has already cancelled: dL/dZ{d} is (A{d} - Y) and no more."),
        (lambda term, d, at: term.pull(d) * at.output * (1 - at.output),), lambda at, layer: at.fused),
    Mistake("output-slope-at-a", (OUTPUT,), (
        "The slope of the output's activation is taken at A{d}, as if it had not been applied yet.",
        "The slope belongs to the number that went in: {g}'(Z{d})."),
        (_slope_at_output,), lambda at, layer: at.layers[layer - 1].activation != "identity"),
    Mistake("softmax-diagonal", (OUTPUT,), (
        "Of the softmax's Jacobian only the diagonal p (1 - p) is used.",
        "Each output depends on every logit: dL/dz_k = p_k (d_k - sum_j d_j p_j)."),
        (lambda term, d, at: (at.long_way() if at.fused else d) * at.output * (1 - at.output),),
        lambda at, layer: at.layers[layer - 1].activation == "softmax"),
    Mistake("raw-error-back", (RAW,), (
        "The layer below gets A{d} - Y through W{d}, without the slope of the output's activation.",
        "What goes through W{d} is delta{d} = dL/dZ{d}, the same that W{d} and b{d} got."),
        (lambda term, d, at: term.pull(at.gradient[f"A{parts(term.of).layer}"]),), _is_curved),
    Mistake("relu-gate-open", (HIDDEN, EACH_SLOPE), (
        "The gate of layer {l}, ReLU's slope, never closes: it is left out, or it tests a value that is never negative, A{l} >= 0 for instance.",
        "The gradient passes where {into} > 0 and is 0 elsewhere: dL/d{into} = dL/dA{l} * ({into} > 0)."),
        (lambda term, d, at: d,), _is_relu),
    Mistake("hidden-slope-missing", (EACH_HIDDEN, ALL_SLOPES), (
        "On the way down through layer {l} the slope of its activation is left out: delta{l} is taken to be dL/dA{l}.",
        "Multiply by it, entry by entry: dL/d{into} = dL/dA{l} * {g}'({into})."),
        (lambda term, d, at: d,)),
    Mistake("hidden-slope-at-a", (EACH_HIDDEN, ALL_SLOPES), (
        "The slope of layer {l}'s activation is taken at A{l}, as if it had not been applied yet.",
        "It belongs to the number that went in: {g}'({into})."),
        _slope(lambda row, Z, A: row.slope.value(A))),
    Mistake("hidden-slope-twice", (HIDDEN, EACH_SLOPE), (
        "The slope of layer {l}'s activation is multiplied in twice.",
        "Each term of the chain comes once: dL/d{into} = dL/dA{l} * {g}'({into})."),
        _slope(lambda row, Z, A: row.slope.value(Z) ** 2)),
    Mistake("slope-of-z", (HIDDEN, EACH_SLOPE), (
        "The short form of the slope, which is meant for A{l}, is given {into}.",
        "a (1 - a) and 1 - a^2 want the activation's value: use A{l} in them."),
        _slope(lambda row, Z, A: row.slope_from_value(Z)), _has_short_form),
    Mistake("slope-of-other-activation", (HIDDEN, EACH_SLOPE), (
        "Layer {l} uses {g}, but its slope is that of another activation.",
        "Use {g}'({into}): a (1 - a) is the sigmoid's, 1 - a^2 the tanh's."),
        (_other_slope(0, True), _other_slope(1, True), _other_slope(0, False)), lambda at, layer: at.layers[layer - 1].activation not in ("identity", "softmax")),
    Mistake("relu-gate-on-upstream", (HIDDEN, EACH_SLOPE), (
        "The gate of layer {l} looks at the gradient that arrives and lets it through where that is positive.",
        "ReLU's slope is 1 where {into} > 0, whatever arrives, negative numbers too."),
        (lambda term, d, at: d * (d > 0),), _is_relu),
    Mistake("relu-overwrites-upstream", (HIDDEN, EACH_SLOPE), (
        "In layer {l} the gate takes the place of the gradient that arrives: delta{l} holds only zeros and ones.",
        "Multiply them: dL/d{into} = dL/dA{l} * ({into} > 0)."),
        _in_both_styles(lambda term, d, at: term.value), _is_relu),
    Mistake("weights-not-transposed", (THROUGH,), (
        "The gradient goes down through W{u} the wrong way round, by its transpose.",
        "Forward was A{l} @ W{u}.T, so backward is dL/dZ{u} @ W{u}; the shapes do not tell since W{u} is square."),
        (lambda term, d, at: d @ term.value.T,), _is_square),
    Mistake("updated-weights", (THROUGH,), (
        "The gradient goes down through a W{u} that has been updated already, with a step of about {constant} times its gradient.",
        "Compute all gradients with the weights of the forward pass, and only then update any."),
        tuple(lambda term, d, at, penalty=penalty: d @ (term.value - at.constant * _own_gradient(term, d, at, penalty)) for penalty in (True, False)),
        solved=True),
    Mistake("gradient-for-weights", (THROUGH,), (
        "The gradient goes down through dW{u}, the weights' gradient, in place of the weights.",
        "dL/dA{l} = dL/dZ{u} @ W{u}."),
        tuple(lambda term, d, at, penalty=penalty: d @ _own_gradient(term, d, at, penalty) for penalty in (True, False))),
    Mistake("weight-gradient-transposed", (WEIGHTS,), (
        "The gradient of W{l} is transposed: rows and columns are exchanged.",
        "W{l} has shape (units out, units in), and so has dL/dZ{l}.T @ {below}."),
        (lambda term, d, at: term.pull(d).T, _turned_with_penalty)),
    Mistake("z-for-a", (WEIGHTS,), (
        "The gradient of W{l} uses {belowz}, the layer below before its activation.",
        "What W{l} was multiplied by in the forward pass is {below}."),
        (lambda term, d, at: d.T @ at.trace[at.layers[parts(term.of).layer - 2].into],), lambda at, layer: layer > 1),
    Mistake("x-for-a", (WEIGHTS,), (
        "The gradient of W{l} uses the network's input X.",
        "What came into layer {l} in the forward pass is {below}."),
        (lambda term, d, at: d.T @ at.trace["X"],), lambda at, layer: layer > 1),
    Mistake("last-example-only", (WEIGHTS,), (
        "The gradient of W{l} holds the last example only: overwritten in a loop, not added up.",
        "Sum the outer products over all {n} examples: dL/dZ{l}.T @ {below}."),
        (lambda term, d, at: d[-1:].T @ at.below(term)[-1:],)),
    Mistake("bias-wrong-axis", (BIAS,), (
        "The gradient of {b} is summed over the units, one number for each example.",
        "Sum over the examples, dL/d{into}.sum(axis=0): one number for each unit."),
        (lambda term, d, at: d.sum(axis=1),)),
    Mistake("bias-zero", (BIAS,), (
        "The gradient of {b} is 0: the bias would never be updated.",
        "It is dL/d{into}, summed over the examples: dL/d{into}.sum(axis=0)."),
        _scaled(lambda at: 0.0)),
    Mistake("bias-total", (BIAS,), (
        "Every entry of the gradient of {b} is the sum over all units and examples.",
        "Sum over the examples only, dL/d{into}.sum(axis=0)."),
        (lambda term, d, at: np.full(d.shape[1], _total(d)),)),
    Mistake("bias-times-input", (BIAS,), (
        "The gradient of {b} is multiplied by what came in, as if {b} were a weight.",
        "A bias is added as it is: the term d{into}/d{b} is 1."),
        (lambda term, d, at: (d.T @ at.below(term)).sum(axis=1), lambda term, d, at: (d.T @ at.below(term) + at.l2 * at.trace[f"W{parts(term.of).layer}"]).sum(axis=1))),
    Mistake("bias-sum-for-mean", (BIAS,), (
        "The gradient of {b} alone is n = {n} times too large.",
        "dL/d{into} already holds the 1/n of the mean: sum it over the examples and do no more."),
        _scaled(lambda at: at.n), lambda at, layer: at.mean),
    Mistake("variance-constant", (VARIANCE,), (
        "In the normalised layer {l} the batch's variance is treated as a constant: the path over var{l} is missing.",
        "var{l} is computed from the same rows: dL/dvar{l} = sum over the rows of dL/dN{l} * dN{l}/dvar{l}, and from there to every C{l}."),
        _scaled(lambda at: 0.0)),
    Mistake("mean-constant", (MEAN,), (
        "In the normalised layer {l} the batch's mean is treated as a constant: the path over mu{l} is missing.",
        "mu{l} is computed from the same rows: subtract from dL/dC{l} its own mean over the rows."),
        _scaled(lambda at: 0.0)),
    Mistake("layer-factor", (WEIGHTS_ALONE, BIAS_ALONE, SCALE_ALONE), (
        "The gradient of {name} alone is {constant} times the right one.",
        "Everything above and beside it is right, so the factor sits in the one line that computes {name}'s gradient."),
        (_factor_of_all, lambda term, d, at: at.constant * term.pull(d)), solved=True),
    Mistake("l2-missing", (PENALTY,), (
        "The part of the L2 penalty is missing from the gradient of W{l}.",
        "The loss reaches W{l} on a second path: add l2 * W{l}."),
        _scaled(lambda at: 0.0)),
    Mistake("l2-factor-two", (PENALTY,), (
        "The part of the L2 penalty is twice too large in the gradient of W{l}.",
        "The loss holds 1/2 l2 W^2, whose derivative is l2 * W{l}."),
        _scaled(lambda at: 2)),
    Mistake("l2-per-example", (PENALTY,), (
        "The part of the L2 penalty is multiplied or divided by n = {n} in the gradient of W{l}.",
        "The penalty stands once beside the data's loss, outside of its mean: add l2 * W{l} as it is."),
        _scaled(lambda at: at.n) + _scaled(lambda at: 1 / at.n)),
    Mistake("l2-sum", (PENALTY,), (
        "Every entry of the gradient of W{l} gets l2 times the sum of all weights.",
        "Each weight answers for itself: add l2 * W{l}, entry by entry."),
        (lambda term, d, at: np.full(term.shape, term.pull(d).sum()),)),
    Mistake("l2-sign", (PENALTY,), (
        "The part of the L2 penalty has the opposite sign in the gradient of W{l}.",
        "The penalty grows with the weight: add + l2 * W{l}, and the step makes the weight smaller."),
        _scaled(lambda at: -1)),
    Mistake("l2-on-bias", (PENALTY_ON_BIAS,), (
        "The gradient of {b} holds a part l2 * {b}, but the penalty is on the weights only.",
        "There is no path from the penalty to {b}: leave the part out."),
        (lambda term, d, at: term.pull(d) + at.l2 * at.trace[term.wrt],), lambda at, layer: at.l2 > 0),
    Mistake("path-missing", (), (
        "{name} is used more than once, and not every use has arrived: overwritten, not added, or forgotten.",
        "Over paths we add: every use of {name} contributes its part.")),
    Mistake("stale-gradient", (), (
        "The gradient of an earlier call is added to that of this one: something is kept and not set to zero.",
        "Start each call from zero; a second call with the same numbers must give the same answer.")),
]
# fmt: on
MISTAKES = {row.id: row for row in ROWS}


def mistake(id):
    """The row of that id."""
    return MISTAKES[id]


copyreg.pickle(Mistake, lambda row: (mistake, (row.id,)))
