"""A tour: sentences that lead through the page, as data; what each waits for stands in a closed list, and is never run."""

import operator
import re
from math import isfinite

from ...given import shown
from ...notation import number
from ..state import LARGEST, MOST_LOSSES, THROUGH, VIEWS, choices, steps
from .guesses import asked_for

COMPARED = ("step", "rate", "example", "updates")
EQUAL = ("wrt", "output", "through", "view")
NAMED = ("click", "move")
WHOLE = ("step", "example", "updates")
SIGNS = {">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le, "=": operator.eq}
SMALLEST = 1e-300  # of the rates that a tour waits for
CONDITION = re.compile(r"\s*(>=|<=|>|<|=)\s*([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?)\s*")
MOST_STEPS, LONGEST = 100, 1000


def options_of(graph, state, sheet):
    """What a page can be brought to, by what a tour may wait for: names and words, (lowest, highest) of numbers."""
    names, outputs = [*graph.inputs, *graph.lines], sheet["outputs"]
    reached = {name for line in outputs for name in choices(graph, line)}
    return {
        "click": names,
        "move": list(graph.inputs),
        "output": outputs,
        "wrt": [name for name in names if name in reached],
        "through": THROUGH if sheet["deltas"] else THROUGH[:1],
        "view": VIEWS if sheet["layers"] else VIEWS[:1],
        "guess": state.predict is not None,
        "example": (0, max(0, len(state.rows) - 1)),
        "step": (0, max(steps(graph, line) for line in outputs)),
        "updates": (0, MOST_LOSSES - 1),
        "rate": (SMALLEST, LARGEST),
    }


def steps_of(tour, terms, options):
    """The steps of a tour as the sheet holds them: [{say, light, until}], all of them checked.

    A step is (sentence, what to light, what to wait for) or a dict with the keys "say", "light" and "until"; the last two may
    be left out. ValueError, TypeError: what is refused, with the number of its step.
    """
    if isinstance(tour, (str, dict)) or not isinstance(tour, (list, tuple)):
        raise TypeError(f"explore: a tour is a list of steps, found {shown(tour)}")
    if len(tour) > MOST_STEPS:
        raise ValueError(f"explore: a tour has at most {MOST_STEPS} steps, found {len(tour)}")
    return [_step(f"explore: step {place} of the tour", step, terms, options) for place, step in enumerate(tour, 1)]


def _step(caller, step, terms, options):
    if isinstance(step, str):
        step = (step,)
    if isinstance(step, (list, tuple)) and 1 <= len(step) <= 3:
        step = dict(zip(("say", "light", "until"), step, strict=False))
    if not isinstance(step, dict) or "say" not in step or step.keys() - {"say", "light", "until"}:
        raise ValueError(
            f'{caller}: expected (sentence, light, until) or a dict with "say", "light", "until", found {shown(step)}'
        )
    say = step["say"]
    if not isinstance(say, str) or not say.strip() or len(say) > LONGEST:
        raise ValueError(f"{caller}: expected a sentence of 1 to {LONGEST} characters, found {shown(say)}")
    light = step.get("light") or ()
    light = [light] if isinstance(light, str) else light
    if not isinstance(light, (list, tuple)):
        raise TypeError(f"{caller}: light is a list of names, found {shown(light)}")
    lit = [_lit(f"{caller}: light", name, terms) for name in light]
    until = _until(f"{caller}: until", step.get("until") or "next", options)
    return {"say": say.strip(), "light": lit, "until": until}


def _names(terms):
    lines = dict.fromkeys(term.of for term in terms)
    return {term.wrt: None for term in terms if term.wrt not in lines} | lines


def _lit(caller, name, terms):
    """A quantity as it is, a term as of:wrt."""
    names = _names(terms)
    if isinstance(name, str) and name in names:
        return name
    if isinstance(name, str) and "/" not in name:
        raise ValueError(
            f'{caller}: {name!r:.40} is no quantity; the quantities are {", ".join(names)}; a term is written "da/dz"'
        )
    asked = asked_for(name, terms, caller)
    return f"{asked.of}:{asked.wrt}" if any(term.edge == asked[1:] for term in terms) else asked.wrt


def _until(caller, until, options):
    """The conditions of a step as rows [kind, name, sign, number]; none: it waits for the button."""
    if until == "next":
        return []
    if not isinstance(until, dict):
        raise TypeError(
            f'{caller}: expected "next" or a dict such as {{"w": ">1"}} or {{"click": "a"}}, found {shown(until)}'
        )
    return [_condition(caller, key, value, options) for key, value in until.items()]


def _condition(caller, key, value, options):
    names = options["click"]
    if key in names or key in COMPARED:
        return ["number" if key in names else "setting", key, *_compared(caller, key, value, options)]
    if key == "guess" and value is True:
        if options["guess"]:
            return ["guess"]
        raise ValueError(f'{caller}: guess: nothing is hidden; hide a number first, as in e.predict = "da/dz"')
    if key in (*NAMED, *EQUAL):
        if value in options[key]:
            return [key, value] if key in NAMED else ["is", key, value]
        raise ValueError(f"{caller}: {key} waits for one of {', '.join(options[key])}, found {value!r:.40}")
    known = [*names, *COMPARED, *EQUAL, *NAMED, "guess"]
    raise ValueError(
        f"{caller}: {key!r:.40} is nothing that a tour can wait for; it waits for one of {', '.join(known)}"
    )


def _compared(caller, key, value, options):
    """(sign, number) that a quantity or a setting is to pass. ValueError: it never can; of a line nobody knows."""
    found = CONDITION.fullmatch(value) if isinstance(value, str) else None
    if not found or not isfinite(float(found[2])):
        raise ValueError(f'{caller}: {key!r:.40} waits for a number such as ">1" or "<=-0.5", found {value!r:.40}')
    sign, wanted = found[1], float(found[2])
    if key in options["click"] and key not in options["move"]:
        return sign, wanted
    low, high = options.get(key, (-LARGEST, LARGEST))
    within = low <= wanted <= high and (wanted.is_integer() or key not in WHOLE)
    if not any(SIGNS[sign](place, wanted) for place in ([low, high, wanted] if within else [low, high])):
        raise ValueError(
            f"{caller}: {key} is never {sign} {number(wanted)}: it goes from {number(low)} to {number(high)}"
        )
    return sign, wanted
