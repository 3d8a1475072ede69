"""What the small explorers are that a few settings describe: they go both ways, and Python finds the page's numbers again."""

import pathlib
from dataclasses import asdict, replace

import numpy as np

from ...notation import number
from .. import page
from ..life import Explorer, keep

AGREE = 1e-12  # of a number, or of 1 where that is more: as far apart as page and kernel may be


def setting(name, doc):
    """A property that reads a setting and sets it, or refuses to."""
    return property(lambda self: getattr(self._state, name), lambda self, value: self.set(**{name: value}), doc=doc)


class SettingsExplorer(Explorer):
    """An explorer that a frozen `State` describes; one that extends it brings `called`, `rooms`, `looks`, `_checked` and `_numbers`.

    `_checked(state, asked)` is the state with every field as it should be, or an error, where `asked` are the names of those
    that somebody set; `_numbers()` is what the page finds, by name.
    """

    def __init__(self, sheet, state):
        self._state = self._checked(state, ())
        super().__init__(sheet=sheet, state=asdict(self._state))
        self.on_msg(self._heard)
        keep(self)

    def _go(self, changes):
        fields = tuple(self._state.__dataclass_fields__)
        if unknown := [name for name in changes if name not in fields]:
            raise ValueError(f"{self.called}: no {', '.join(unknown)} can be set; known are {', '.join(fields)}")
        self._state = self._checked(replace(self._state, **changes), tuple(changes))
        self.state = asdict(self._state)

    def set(self, /, **changes):
        """Change what the page shows, in code, by the names of its settings. ValueError, TypeError: what is refused; nothing has changed then."""
        self._go(changes)
        self.send({"state": self.state})

    def _heard(self, _, message, buffers):
        """The page is at rest: take its state, and say whether Python finds the same numbers."""
        turn = None
        try:
            turn = message.get("turn")
            found = {name: np.array(value, dtype=float) for name, value in message["numbers"].items()}
            self._go(dict(message["state"]))
            off = _apart(self._numbers(), found)
            self.send({"turn": turn, "agrees": off <= AGREE, "worst": number(off, 2)})
        except Exception as error:  # what a page says is a stranger's word: the answer stands in the page
            self.send({"turn": turn, "error": f"{type(error).__name__}: {error}"})

    def save(self, path):
        """Write the page as one HTML file that needs no kernel and no network. OSError: it cannot be written."""
        written = page.as_file(self.sheet, self.state, self.title, self.rooms, self.looks)
        pathlib.Path(path).write_text(written, encoding="utf-8")


def _apart(ours, found):
    """How far the page's numbers are from ours, relative to those past 1; infinite where names or shapes differ."""
    if {name: np.shape(value) for name, value in ours.items()} != {name: value.shape for name, value in found.items()}:
        return np.inf
    off = [np.abs(value - found[name]) / np.maximum(1.0, np.abs(value)) for name, value in ours.items()]
    worst = float(np.max([np.max(each) for each in off]))
    return np.inf if np.isnan(worst) else worst
