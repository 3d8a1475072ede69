"""What a page asks, in code: each part of it readable and settable."""

from ..life import of_state
from ..state import changed, choices, first_state, movable
from .guesses import still_asked
from .swaps import changed_terms, check_size, swapped, unrolled
from .tours import options_of, steps_of

KEPT = ("rate", "nudge", "through", "glance", "view", "example", "compare", "sentence", "parameters")


class Asking:
    """The part of a `GraphExplorer` that predicts, tunes blind, leads, swaps and compares."""

    predict = of_state("predict", 'The derivative that is hidden until it is guessed, as "da/dz", or None; may be set.')
    guess = of_state("guess", 'The guess: "grow", "shrink" or "same" at the next move, a number, or None; may be set.')
    compare = of_state("compare", "Whether the numbers before the last move stand beside the present ones; may be set.")
    blind = of_state(
        "blind", "True: only the loss is seen; False: the surface and the ways are shown; None: neither; may be set."
    )
    sentence = of_state("sentence", "How many sentences of the tour are done; may be set.")

    @property
    def before(self):
        """The inputs' numbers before the last move or swap, by name; None before the first."""
        was = self._state.before or (self.sheet["was"] or {}).get("trace")
        return was and {name: was[name] for name in self._graph.inputs}

    @property
    def way(self):
        """Of a blind page the parameters' numbers at the start and after each move, by name."""
        return [dict(zip(movable(self._graph), row, strict=True)) for row in self._state.way]

    @property
    def sentences(self):
        """The sentences of the tour."""
        return [step["say"] for step in self.sheet["tour"]]

    def tour(self, sentences):
        """Lead through the page: a list of (sentence, what to light, what to wait for), or of dicts "say", "light", "until"; [] ends it.

        Lit are quantities "a" and terms "da/dz". A step waits for the button "next", or for all of a dict: {"w": ">1"} a
        quantity (or step, rate, example, updates) to pass a number, {"click": "a"}, {"move": "w"}, {"wrt": "b"}, {"output": "a"},
        {"guess": True}. All of it is checked first, and is data: nothing of it is run.
        ValueError, TypeError: what is refused, or can never come true on this page, with its step; the tour before goes on.
        """
        steps = steps_of(sentences, self._graph.terms(), options_of(self._graph, self._state, self.sheet))
        self._state, self._trace, self._terms = changed(self._graph, self._state, sentence=0)
        self._show(self.sheet | {"tour": steps})

    @property
    def functions(self):
        """What stands at each place where another activation or loss can: {"a": "sigmoid"}; may be set, for some or for all places.

        With `compare` the page then shows the values and gradients of both functions, up to the next move.
        A hidden derivative that the new graph does not have is asked for no longer, and a blind page begins anew.

        ValueError: no such place, no such function, a pair that does not go together; the model before stays.
        """
        return {place: now for place, (now, *_) in self.sheet["functions"].items()}

    @functions.setter
    def functions(self, changes):
        model = swapped(self._model, changes)
        graph, layers = unrolled(model, *self._example())
        check_size(graph)
        old, first = self._state, first_state(graph, self._state.numbers, self._state.rows, self._state.reduction)
        kept = {name: getattr(old, name) for name in KEPT}
        wrt = old.wrt if old.wrt in choices(graph, old.output) else None
        asked = dict(predict=still_asked(old.predict, graph.terms()), blind=old.blind or None)
        state, trace, terms = changed(graph, first, output=old.output, wrt=wrt, **asked, **kept)
        swaps = changed_terms(self._graph, graph)
        was = {"trace": self.trace, "gradient": self.gradient, "output": old.output}
        self._model, self._graph, self._layers = model, graph, layers
        self._state, self._trace, self._terms = state, trace, terms
        self._show(self._sheet(self.sheet["tour"], swaps, was))
