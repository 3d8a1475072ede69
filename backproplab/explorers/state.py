"""What an explorer of a graph can be set to, in code and in the page, and what of it is refused."""

import math
from dataclasses import dataclass, replace
from numbers import Real
from typing import NamedTuple

import numpy as np

from ..notation import number
from ..terms import backpropagate, below, sizes
from .asking.guesses import WAYS, asked_for, check_guess
from .sheet import backward, data_names, passes

LARGEST = 1e300
MOST_UPDATES, MOST_LOSSES, MOST_MOVES = 10_000, 1_000, 1_000
THROUGH, VIEWS = ("paths", "delta"), ("units", "layers")


@dataclass(frozen=True)
class State:
    """What the page is about: the numbers, which derivative, how far the pass has come, and what else its controls set.

    `rows` holds the numbers of each example of a batch, in the order of `data`, the names of its inputs and targets;
    `losses` are those of the updates so far, the first one before them. `guessed_at` are the numbers at which "grow", "shrink"
    or "same" was said, `before` those before the last move. While `blind` is True only the loss is seen, once False all; `way`
    holds the parameters' numbers at the start of that and after each move. `sentence` counts the steps of a tour that are done.
    """

    numbers: dict
    output: str
    wrt: str
    step: int
    rate: float = 0.1
    parameters: tuple = ()
    losses: tuple = ()
    nudge: float = 0.1
    through: str = "paths"
    glance: bool = False
    view: str = "units"
    example: int = 0
    rows: tuple = ()
    reduction: str = "mean"
    predict: str | None = None
    guess: str | float | None = None
    guessed_at: dict | None = None
    compare: bool = False
    before: dict | None = None
    blind: bool | None = None
    way: tuple = ()
    sentence: int = 0


MAY_BE_NONE = ("predict", "guess", "guessed_at", "before", "blind")


def movable(graph):
    """The inputs that are no data: what one may move in search of a smaller loss."""
    data = data_names(graph)
    return tuple(name for name in graph.inputs if name not in data)


def choices(graph, output):
    """The quantities that `output` depends on, in the order of the trace."""
    reached = below(graph.terms(), output)
    return [name for name in (*graph.inputs, *graph.lines) if name in reached and name != output]


def steps(graph, output):
    """How many steps the pass has: forward, then back from the output."""
    return len(passes(graph)) + len(backward(graph, output))


def first_state(graph, numbers, rows=(), reduction="mean"):
    """The state that an explorer begins with: the whole pass, every input a parameter that is not called x or y."""
    numbers = {name: value for name, value in graph.forward(**numbers).items() if name in graph.inputs}
    data = data_names(graph)
    parameters = tuple(name for name in graph.inputs if name not in data) or graph.inputs
    wrt = next(iter(choices(graph, graph.output)), "")
    last = steps(graph, graph.output)
    return State(numbers, graph.output, wrt, last, parameters=parameters, rows=rows, reduction=reduction)


def changed(graph, old, numbers=None, **changes):
    """(state, trace, terms) after changes. ValueError, TypeError: what is refused; nothing has changed then."""
    asked = {name: value for name, value in changes.items() if value is not None or name in MAY_BE_NONE}
    for name, value in asked.items():
        CHECKS.get(name, _as_it_is)(name, value, graph, old)
    if asked.get("predict") is not None:
        asked["predict"] = str(asked_for(asked["predict"], graph.terms()))
    check_guess(asked.get("guess"), asked.get("predict", old.predict))
    output = asked.get("output", old.output)
    names = choices(graph, output)
    if not names:
        raise ValueError(f"explore: {output} depends on nothing; choose another line")
    wrt = asked.get("wrt", old.wrt if old.wrt in names else names[0])
    _check_wrt(wrt, output, names)
    most = steps(graph, output)
    whole = old.step == steps(graph, old.output)  # what was walked to its end stays so
    step = asked.get("step", most if whole else min(old.step, most))
    if isinstance(step, bool) or not isinstance(step, int) or not 0 <= step <= most:
        raise ValueError(f"explore: step must be a whole number from 0 to {most}, found {step!r:.40}")
    if "parameters" in asked:
        asked["parameters"] = tuple(name for name in graph.inputs if name in asked["parameters"])
    new = replace(old, **asked | {"output": output, "wrt": wrt, "step": step})
    new, trace, terms = _with_numbers(graph, old, new, numbers or {}, "losses" in asked)
    return replace(new, **_remembered(graph, old, new, asked)), trace, terms


def _remembered(graph, old, new, asked):
    """What a change leaves behind: the numbers before it, a guess that is of another state, one more move of a blind page."""
    kept, moved = {}, new.numbers != old.numbers
    if moved:
        kept["before"] = old.numbers
    if new.predict != old.predict or (moved and new.guess not in WAYS):
        kept |= {"guess": None, "guessed_at": None}
    if "guess" in asked:
        kept["guess"], kept["guessed_at"] = new.guess, new.numbers if new.guess in WAYS else None
    row = tuple(new.numbers[name] for name in movable(graph))
    if asked.get("blind") is True and old.blind is not True:
        kept["way"] = (row,)
    elif new.blind is None:
        kept["way"] = ()
    elif new.blind and row != new.way[-1]:
        kept["way"] = (*new.way[:MOST_MOVES], row)
    return {name: value for name, value in kept.items() if name == "guess" or name not in asked}


def _with_numbers(graph, old, new, numbers, updated):
    """The new state with numbers: a batch's row goes with them, and losses that belong to other numbers go."""
    for name, value in numbers.items():
        if np.ndim(value):
            raise ValueError(f"explore: {name} must be one number, found shape {np.shape(value)}")
    data = data_names(graph) if old.rows else []
    shown = dict(zip(data, new.rows[new.example], strict=True)) if new.rows else {}
    trace = graph.forward(**(old.numbers | shown | numbers))
    for name in graph.inputs:
        if np.ndim(trace[name]):
            raise ValueError(f"explore: {name} must be one number, found shape {np.shape(trace[name])}")
        if abs(trace[name]) > LARGEST:
            raise ValueError(f"explore: sliders reach to {number(LARGEST)}, found {name} = {number(trace[name])}")
    terms = graph.terms(trace)
    found, rows = {name: trace[name] for name in graph.inputs}, new.rows
    if data:
        rows = (*rows[: new.example], tuple(found[name] for name in data), *rows[new.example + 1 :])
    moved = (rows, [found[p] for p in found if p not in data]) != (
        old.rows,
        [old.numbers[p] for p in found if p not in data],
    )
    stale = not updated and (moved or new.output != old.output or new.parameters != old.parameters)
    new = replace(new, numbers=found, rows=rows, losses=() if stale else new.losses)
    if new.rows:
        totals(graph, new)
    return new, trace, terms


def _as_it_is(*_):
    pass


def _check_wrt(wrt, output, names):
    if not isinstance(wrt, str) or wrt not in names:
        why = "is the output itself" if wrt == output else "has no path to it, or is no quantity"
        raise ValueError(f"explore: {wrt!r:.40} {why}; the quantities that {output} depends on are {', '.join(names)}")


def _check_output(_, value, graph, old):
    graph.checked_output(value, "explore")


def check_rate(name, value, *_):
    """ValueError, TypeError: not a number above 0, at most 1e300."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"explore: {name} must be a number such as 0.1, found {type(value).__name__} {value!r:.40}")
    if not 0 < value <= LARGEST:
        raise ValueError(f"explore: {name} must be above 0 and at most {number(LARGEST)}, found {value!r:.40}")


def _check_nudge(name, value, *_):
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"explore: {name} must be a number such as 0.1, found {type(value).__name__} {value!r:.40}")
    if not 0 < abs(value) <= LARGEST:
        raise ValueError(f"explore: {name} must be other than 0 and at most {number(LARGEST)}, found {value!r:.40}")


def _check_parameters(_, value, graph, old):
    if isinstance(value, str) or not all(isinstance(name, str) for name in value):
        raise TypeError(f'explore: parameters must be a list of names such as ["w", "b"], found {value!r:.60}')
    unknown = [name for name in value if name not in graph.inputs]
    if unknown or not value:
        which = f"{unknown[0]!r:.40} is no input" if unknown else "at least one is wanted"
        raise ValueError(f"explore: parameters: {which}; the inputs are {', '.join(graph.inputs)}")


def _one_of(options):
    def check(name, value, *_):
        if value not in options:
            raise ValueError(f"explore: {name} must be one of {', '.join(map(repr, options))}, found {value!r:.40}")

    return check


def _check_example(_, value, graph, old):
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < max(1, len(old.rows)):
        raise ValueError(f"explore: example must be a row from 0 to {max(1, len(old.rows)) - 1}, found {value!r:.40}")


def _check_rows(_, value, graph, old):
    if [len(row) for row in value] != [len(row) for row in old.rows]:
        raise ValueError("explore: the rows of a batch keep their number and their width")


def _check_losses(_, value, graph, old):
    if len(value) > MOST_LOSSES or not all(isinstance(v, Real) and math.isfinite(v) for v in value):
        raise ValueError(f"explore: losses are at most {MOST_LOSSES} finite numbers")


def _check_numbers(name, value, graph, old):
    if value is not None and (set(value) != set(graph.inputs) or not all(map(_finite, value.values()))):
        raise ValueError(f"explore: {name} holds a finite number for each of {', '.join(graph.inputs)}")


def _finite(value):
    return isinstance(value, Real) and not isinstance(value, bool) and abs(value) <= LARGEST


def _check_blind(_, value, graph, old):
    if value not in (True, False, None):
        raise ValueError(f"explore: blind must be True, False or None, found {value!r:.40}")
    if value is not None and len(movable(graph)) < 2:
        raise ValueError(
            f"explore: blind needs two inputs to move that are no data (x, y), found {', '.join(movable(graph)) or 'none'}"
        )
    if value is False and old.blind is None:
        raise ValueError("explore: blind is not on, so there is no way to show; begin with e.blind = True")


def _check_way(_, value, graph, old):
    width = len(movable(graph))
    if len(value) > MOST_MOVES + 1 or not all(len(row) == width and all(map(_finite, row)) for row in value):
        raise ValueError(f"explore: way holds {width} finite numbers for each of at most {MOST_MOVES} moves")


def _check_sentence(_, value, graph, old):
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"explore: sentence must be a whole number from 0, found {value!r:.40}")


CHECKS = {
    "output": _check_output, "rate": check_rate, "nudge": _check_nudge, "parameters": _check_parameters, "through": _one_of(THROUGH), "view": _one_of(VIEWS),
    "glance": _one_of((True, False)), "example": _check_example, "rows": _check_rows, "losses": _check_losses,
    "compare": _one_of((True, False)), "guessed_at": _check_numbers, "before": _check_numbers, "blind": _check_blind, "way": _check_way, "sentence": _check_sentence,
}  # fmt: skip


# --- all examples, and the update ---------------------------------------------------------------------------------------


class Totals(NamedTuple):
    """A loss over all examples, its gradient by parameter, and the sum of the absolute values of what that adds up."""

    value: float
    gradient: dict
    scale: dict


def totals(graph, state):
    """The `Totals` of the output over all examples, or of the only one.

    Of a batch the mean or the sum over its rows; what the loss takes from a weight itself, 1/2 l2 w^2, counts once.
    """
    data = data_names(graph) if state.rows else []
    columns = dict(zip(data, np.array(state.rows).T, strict=True))
    trace = graph.forward(**(state.numbers | columns))
    terms = graph.terms(trace)
    gradient = backpropagate(terms, state.output)
    if not state.rows:
        return Totals(trace[state.output], gradient, sizes(terms, state.output))
    join = np.mean if state.reduction == "mean" else np.sum
    own = own_part(terms, state.output, graph.output, data)
    penalty = sum(0.5 * state.numbers[name] * value for name, value in own.items())
    weights = [name for name in graph.inputs if name not in data]
    parts = {name: gradient[name] - own.get(name, 0.0) for name in weights}
    found = {name: float(join(part) + own.get(name, 0.0)) for name, part in parts.items()}
    scale = {name: float(join(np.abs(part)) + abs(own.get(name, 0.0))) for name, part in parts.items()}
    return Totals(float(join(trace[state.output] - penalty) + penalty), found, scale)


def own_part(terms, output, loss, data):
    """What the loss takes from each parameter itself: its direct terms, those of 1/2 l2 w^2."""
    lines = {term.of for term in terms}
    own = [term for term in terms if term.of == output == loss and term.wrt not in lines and term.wrt not in data]
    return {term.wrt: float(np.mean(term.value)) for term in own}


def updated(graph, state, times):
    """(state, trace, terms, why) after so many steps p <- p - rate dL/dp; `why` says what ended them early, if anything did."""
    losses = list(state.losses) or [float(totals(graph, state).value)]
    trace = terms = None
    for count in range(times):
        try:
            gradient = totals(graph, state).gradient
            moved = {p: state.numbers[p] - state.rate * gradient.get(p, 0.0) for p in state.parameters}
            step, trace_then, terms_then = changed(graph, state, moved, losses=tuple(losses))
            loss = float(totals(graph, step).value)
        except ValueError as error:
            return state, trace, terms, f"update {count + 1} of {times} at rate {number(state.rate)}: {error}"
        losses = [*losses, loss][-MOST_LOSSES:]
        state, trace, terms = replace(step, losses=tuple(losses)), trace_then, terms_then
    return state, trace, terms, None
