"""A tour: sentences that lead through the page, as data; what each waits for stands in a closed list, and is never run."""

import re
from math import isfinite

from ...given import shown
from .guesses import asked_for

COMPARED = ("step", "rate", "example", "updates")
EQUAL = ("wrt", "output", "through", "view")
NAMED = ("click", "move")
CONDITION = re.compile(r"\s*(>=|<=|>|<|=)\s*([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?)\s*")
MOST_STEPS, LONGEST = 100, 1000


def steps_of(tour, terms):
    """The steps of a tour as the sheet holds them: [{say, light, until}], all of them checked.

    A step is (sentence, what to light, what to wait for) or a dict with the keys "say", "light" and "until"; the last two may
    be left out. ValueError, TypeError: what is refused, with the number of its step.
    """
    if isinstance(tour, (str, dict)) or not isinstance(tour, (list, tuple)):
        raise TypeError(f"explore: a tour is a list of steps, found {shown(tour)}")
    if len(tour) > MOST_STEPS:
        raise ValueError(f"explore: a tour has at most {MOST_STEPS} steps, found {len(tour)}")
    return [_step(f"explore: step {place} of the tour", step, terms) for place, step in enumerate(tour, 1)]


def _step(caller, step, terms):
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
    return {"say": say.strip(), "light": lit, "until": _until(f"{caller}: until", step.get("until") or "next", terms)}


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


def _until(caller, until, terms):
    """The conditions of a step as rows [kind, name, sign, number]; none: it waits for the button."""
    if until == "next":
        return []
    if not isinstance(until, dict):
        raise TypeError(
            f'{caller}: expected "next" or a dict such as {{"w": ">1"}} or {{"click": "a"}}, found {shown(until)}'
        )
    return [_condition(caller, key, value, _names(terms)) for key, value in until.items()]


def _condition(caller, key, value, names):
    if key in names or key in COMPARED:
        found = CONDITION.fullmatch(value) if isinstance(value, str) else None
        if not found or not isfinite(float(found[2])):
            raise ValueError(f'{caller}: {key!r:.40} waits for a number such as ">1" or "<=-0.5", found {value!r:.40}')
        return ["number" if key in names else "setting", key, found[1], float(found[2])]
    if key == "guess" and value is True:
        return ["guess"]
    if key in NAMED and isinstance(value, str) and value in names:
        return [key, value]
    if key in EQUAL and isinstance(value, str) and (value in names or key in ("through", "view")):
        return ["is", key, value]
    if key in (*NAMED, *EQUAL):
        raise ValueError(
            f"{caller}: {key} waits for a quantity, found {value!r:.40}; the quantities are {', '.join(names)}"
        )
    known = [*names, *COMPARED, *EQUAL, *NAMED, "guess"]
    raise ValueError(
        f"{caller}: {key!r:.40} is nothing that a tour can wait for; it waits for one of {', '.join(known)}"
    )
