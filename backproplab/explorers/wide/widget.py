"""The explorer of wide networks, tensor by tensor: the kernel computes, the page draws cells, and each entry opens into its sum."""

import base64
import pathlib
from dataclasses import asdict, dataclass, replace
from numbers import Real

import numpy as np

from ...given import check_finite, shown
from ...models.network import Network
from ...notation import number, parts
from ...paper.sums import checked_name, sum_of, tensor_and_place
from ...pictures.heat import KINDS, cells_of, heat_picture
from ...terms import backpropagate
from .. import page
from ..life import Explorer, keep
from .sheet import WORDS, check_size, sheet_of

WIDE, STYLE = ("numbers", "elements", "wide/heat", "wide/sums", "wide/wide", "bridge"), ("page", "wide/wide")
MOST_UPDATES, MOST_RATE = 10_000, 1e300
CELLS, MOST_CELLS = (
    (64, 128),
    120_000,
)  # rows and columns of a tensor on the page, halved until all cells together are few enough
POINTS = 240  # of the plot of losses
MOST_CONTAINED = 700_000  # bytes of whole tensors in a saved page, beside its cells


@dataclass(frozen=True)
class State:
    """What the page is about: which example, which derivative, and how far an update goes."""

    example: int
    wrt: str
    rate: float


class WideExplorer(Explorer):
    """The widget of a wide network and a batch; `set` and the attributes do in code what the controls do by hand.

    `example`, `wrt` and `rate` say what is shown; `trace`, `gradient`, `numbers`, `losses` and `still` are what is seen.
    The network that was given is never changed: updates move the explorer's own copy.
    ValueError, TypeError: as `net.forward`; more parameters, examples or layers than a page can show.
    """

    _esm = page.script(WIDE)
    _css = page.style(STYLE)

    def __init__(self, net, X, Y):
        if not isinstance(net, Network):
            raise TypeError(f"explore: expected a Network, found {shown(net)}")
        check_size(net, X)
        self._first = net.with_parameters(net.parameters)
        self._net, self._losses, self._version = self._first, [], 0
        trace = net.forward(X, Y)
        self._X, self._Y = trace["X"], trace["Y"]
        self._trace, self._terms, self._gradient = self._computed(self._net)
        self._losses = [float(self._trace["L"])]
        self._tensors = [name for name in self._trace if name != "L"]
        self._state = self._checked(State(0, "W1", 0.1))
        super().__init__(sheet=sheet_of(net, self._trace, self._gradient), state=asdict(self._state))
        self.on_msg(self._heard)
        keep(self)

    # --- state --------------------------------------------------------------------------------------------------------

    def _computed(self, net):
        """(trace, terms, gradient) of a network on the batch. ValueError: a number that is not finite, with its name."""
        trace = net.forward(self._X, self._Y)
        with np.errstate(all="ignore"):
            terms = net.terms(trace)
            gradient = backpropagate(terms, "L")
            for name, value in gradient.items():
                check_finite(f"explore: dL/d{name}", np.asarray(value))
        return trace, terms, gradient

    def _checked(self, old, example=None, wrt=None, rate=None):
        """The state with changes. ValueError, TypeError: what is refused; nothing has changed then."""
        n = len(self._X)
        if example is not None:
            if isinstance(example, bool) or not isinstance(example, (int, np.integer)):
                raise TypeError(f"explore: example must be a whole number, a row of X, found {shown(example)}")
            if not 0 <= example < n:
                raise ValueError(f"explore: example must be from 0 to {n - 1}, found {example}")
            old = replace(old, example=int(example))
        if rate is not None:
            if isinstance(rate, bool) or not isinstance(rate, Real):
                raise TypeError(f"explore: rate must be a number, found {shown(rate)}")
            if not 0 < rate <= MOST_RATE:
                raise ValueError(f"explore: rate must be above 0 and up to {number(MOST_RATE)}, found {rate}")
            old = replace(old, rate=float(rate))
        return (
            old
            if wrt is None
            else replace(
                old, wrt=checked_name("explore", wrt, {name: self._trace[name].shape for name in self._tensors})
            )
        )

    def _change(self, **changes):
        self._state = self._checked(self._state, **changes)
        self._tell()

    def _tell(self):
        """Bring every page to the state, unasked."""
        self.state = asdict(self._state)
        content, buffers = self._view()
        self.send({"state": self.state} | content, buffers)

    def set(self, /, *, example=None, wrt=None, rate=None):
        """Choose in code what the controls choose: e.set(wrt="W1_2_3", example=5). Errors as for each; the last good state stays."""
        self._change(example=example, wrt=wrt, rate=rate)

    @property
    def example(self):
        """The example whose row is marked, from 0; may be set."""
        return self._state.example

    @example.setter
    def example(self, row):
        self._change(example=row)

    @property
    def wrt(self):
        """The quantity by which the loss is differentiated: a tensor "W1", or an entry "W1_2_3", "z1_2"; may be set."""
        return self._state.wrt

    @wrt.setter
    def wrt(self, name):
        self._change(wrt=name)

    @property
    def rate(self):
        """How far an update goes: w <- w - rate dL/dw; may be set."""
        return self._state.rate

    @rate.setter
    def rate(self, rate):
        self._change(rate=rate)

    @property
    def numbers(self):
        """The parameters after the updates so far, by name."""
        return self._net.parameters

    @property
    def losses(self):
        """The loss before the first update and after each."""
        return list(self._losses)

    @property
    def trace(self):
        """The whole trace of the batch."""
        return {name: np.copy(value) if np.ndim(value) else value for name, value in self._trace.items()}

    @property
    def gradient(self):
        """The whole gradient of L, by name."""
        return {name: np.copy(value) if np.ndim(value) else value for name, value in self._gradient.items()}

    # --- updates ------------------------------------------------------------------------------------------------------

    def update(self, times=1):
        """Go that many steps down the gradient with all parameters. ValueError: a step leaves the finite numbers; the steps before it stay."""
        if isinstance(times, bool) or not isinstance(times, (int, np.integer)) or not 1 <= times <= MOST_UPDATES:
            raise ValueError(f"explore: times must be a whole number from 1 to {MOST_UPDATES}, found {shown(times)}")
        stopped = self._descend(times)
        self._tell()
        if stopped:
            raise ValueError(f"explore: {stopped}")

    def reset(self):
        """Go back to the parameters that were given."""
        self._go_back()
        self._tell()

    def _descend(self, times):
        """Update, and say why not all steps were made, if they were not."""
        for done in range(times):
            try:
                with np.errstate(all="ignore"):
                    net = self._net
                    new = {name: value - self.rate * self._gradient[name] for name, value in net.parameters.items()}
                    net = net.with_parameters(new)
                self._trace, self._terms, self._gradient = self._computed(net)
            except ValueError as error:
                return f"{WORDS['stopped'].format(done=done, times=times)}, rate {number(self.rate)}: {error}"
            self._net, self._version = net, self._version + 1
            self._losses.append(float(self._trace["L"]))
        return ""

    def _go_back(self):
        self._trace, self._terms, self._gradient = self._computed(self._first)
        self._net, self._version = self._first, self._version + 1
        self._losses = [float(self._trace["L"])]

    # --- the page -----------------------------------------------------------------------------------------------------

    def _heard(self, _, message, buffers):
        """A move of the page: take its state, do what it asks, and answer with all that is to be drawn."""
        turn, stopped = None, ""
        try:
            turn = message.get("turn")
            state = self._checked(self._state, **{name: message["state"][name] for name in ("example", "wrt", "rate")})
            times = message.get("update", 0)
            if isinstance(times, bool) or not isinstance(times, int) or not 0 <= times <= MOST_UPDATES:
                raise ValueError(
                    f"explore: update must be a whole number from 0 to {MOST_UPDATES}, found {shown(times)}"
                )
            self._state = state
            if message.get("reset") is True:
                self._go_back()
            stopped = self._descend(times)
            content, buffers = self._view(
                message.get("has"), [kind for kind in KINDS if message.get("show") in (kind, None)] or KINDS
            )
            new = asdict(self._state)
            self.send({"turn": turn, "state": new, "stopped": stopped} | content, buffers)
            self.state = new  # for pages that open later; the answer goes first
        except Exception as error:  # what a page says is a stranger's word: the answer stands in the page
            self.send({"turn": turn, "error": f"{type(error).__name__}: {error}"})

    def _view(self, has=None, kinds=KINDS):
        """(content, buffers) of all that is to be drawn, pooled by these kinds; without the cells for a page that `has` them already."""
        every = -(-len(self._losses) // POINTS)
        kept = [*range(0, len(self._losses) - 1, every), len(self._losses) - 1]
        chosen, numbers = self._chosen()
        content = {
            "version": self._version,
            "chosen": chosen,
            "losses": [[i, self._losses[i]] for i in kept],
            "kinds": kinds,
            "cells": None,
        }
        places = []
        if has != self._version:
            arrays, (rows, columns) = {name: self._trace[name] for name in self._tensors}, CELLS
            while rows * columns * len(arrays) > MOST_CELLS:
                rows, columns = rows // 2, columns // 2
            content["cells"], doubles, places = cells_of(arrays, self._gradient, kinds, (rows, columns))
            numbers = [*doubles, *numbers]
        return content, [_bytes(numbers, "<f8"), _bytes(places, "<u4")]

    def _chosen(self):
        """What the page shows of the entry chosen, and the factors of its sum; (None, []) for a whole tensor."""
        tensor, place = tensor_and_place(self.wrt)
        if not place:
            return None, []
        at = place if parts(tensor).letter in "Wb" else (self.example, *place)
        value, slope = self._trace[tensor][at], self._gradient.get(tensor)
        found = {"value": float(value), "gradient": None if slope is None else float(slope[at])}
        total = sum_of(self._terms, self._gradient, tensor, at)
        if total is None:
            return found | {"count": 0, "slope": None, "direct": None}, []
        return found | {"count": len(total.left), "slope": total.slope, "direct": total.direct}, [
            total.left,
            total.right,
        ]

    @property
    def still(self):
        """The tensors' cells, pooled, as a `Picture`."""
        label = WORDS["still"].format(names=", ".join(self._tensors), loss=number(self._losses[-1]))
        return heat_picture({name: self._trace[name] for name in self._tensors}, label)

    def save(self, path):
        """Write the page as one HTML file that needs no kernel and no network. OSError: it cannot be written."""
        content, buffers = self._view()
        saved = {
            "message": {"state": asdict(self._state)} | content,
            "buffers": [_text(data) for data in buffers],
            "contained": self._contained(content["cells"]),
        }
        title = f"{list(self._net.sizes)}, {len(self._X)} {WORDS['examples']}"
        text = page.as_file(self.sheet | {"saved": saved}, asdict(self._state), title, WIDE, STYLE)
        pathlib.Path(path).write_text(text, encoding="utf-8")

    def _contained(self, layout):
        """The whole tensors that sums over the batch are made of, where their cells do not hold them already and they are small enough."""
        pooled = [cells["name"] for cells in layout if cells["block"] != [1, 1]]
        wanted = [(name, "value", self._trace[name]) for name in pooled if parts(name).letter in "XA"]
        wanted += [(name, "gradient", self._gradient[name]) for name in pooled if parts(name).letter == "Z"]
        if sum(8 * array.size for _, _, array in wanted) > MOST_CONTAINED:
            return []
        return [{"of": name, "kind": kind, "data": _text(_bytes([array], "<f8"))} for name, kind, array in wanted]

    def __repr__(self):
        return f"explore(dL/d{self.wrt} of {self._net!r}, {len(self._X)} examples)"


def _bytes(arrays, kind):
    """Arrays as bytes, one after the other."""
    return b"".join(np.ascontiguousarray(array, dtype=kind).tobytes() for array in arrays)


def _text(data):
    return base64.b64encode(data).decode()
