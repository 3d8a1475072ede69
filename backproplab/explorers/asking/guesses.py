"""Predict first: a derivative that the page hides until somebody has guessed it."""

import re
import unicodedata
from math import isfinite
from numbers import Real
from typing import NamedTuple

from ...given import shown
from ...terms import below, first_paths

WAYS = ("grow", "shrink", "same")
MOST_LISTED = 24


class Asked(NamedTuple):
    """A derivative of `of` by `wrt`: with the sign "d" along all paths, with "∂" of one line alone."""

    sign: str
    of: str
    wrt: str

    def __str__(self):
        return f"{self.sign}{self.of}/{self.sign}{self.wrt}"


def asked_for(text, terms, caller="explore: predict"):
    """The derivative that a text such as "da/dz" names. ValueError: it is none of these terms and no gradient of their lines; TypeError: no text."""
    if not isinstance(text, str):
        raise TypeError(f'{caller}: expected the name of a term such as "da/dz", found {shown(text)}')
    found = re.fullmatch(r"\s*(d|∂)(\w+)\s*/\s*\1(\w+)\s*", unicodedata.normalize("NFKC", text))
    lines, edges = {term.of for term in terms}, {term.edge for term in terms}
    asked = Asked(*found.groups()) if found else None
    leads = asked and asked.of in lines and asked.of != asked.wrt and asked.wrt in below(terms, asked.of)
    if leads and (asked.sign == "d" or asked[1:] in edges):
        return asked
    raise ValueError(
        f"{caller}: {text!r:.40} is no term of this graph and no gradient; one can ask for {_listed(terms)}"
    )


def still_asked(predict, terms):
    """The derivative that was asked for, where these terms have it too; else None."""
    try:
        return predict and str(asked_for(predict, terms))
    except ValueError:
        return None


def _listed(terms):
    """What can be asked for: the terms, then the gradients of the last line that are none."""
    last = terms[-1].of
    names = [f"d{of}/d{wrt}" for of, wrt in (term.edge for term in terms)]
    names += [f"d{last}/d{name}" for name in reversed(below(terms, last)) if name != last]
    names = list(dict.fromkeys(names))
    more = f" and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
    return ", ".join(names[:MOST_LISTED]) + more


def check_guess(value, predict):
    """ValueError: neither "grow", "shrink", "same" nor a finite number, or nothing is hidden."""
    if value is None:
        return
    if predict is None:
        raise ValueError('explore: there is nothing to guess; hide a number first, as in e.predict = "da/dz"')
    number = isinstance(value, Real) and not isinstance(value, bool) and isfinite(value)
    if not number and not (isinstance(value, str) and value in WAYS):
        raise ValueError(f'explore: guess must be "grow", "shrink", "same" or a finite number, found {value!r:.40}')


def hidden_slots(terms, state):
    """The slots of the page whose numbers are the hidden one, or come from it: nothing can be divided out of them."""
    if state.predict is None or state.guess is not None:
        return frozenset()
    _, of, wrt = asked_for(state.predict, terms)
    edge = f"{of}:{wrt}" if any(term.edge == (of, wrt) for term in terms) else None
    slots = {f"{kind}:{edge}" for kind in "tfr"} if edge else set()
    if state.output == of or (edge and of in below(terms, state.output)):
        names = below(terms, wrt)
        slots |= {f"{kind}:{name}" for kind in "gde" for name in names}
        if state.wrt in names:
            count = len(first_paths(terms, state.output, state.wrt, 8)[1])
            slots |= {"s:", "o:", *(f"{kind}:{k}" for kind in "pq" for k in range(count))}
    return frozenset(slots)
