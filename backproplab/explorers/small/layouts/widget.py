"""The explorer of the layouts: a dense layer and its way back, as rows, as columns, as in PyTorch and as in Keras."""

from ... import page
from ..settings import SettingsExplorer, setting
from .matrices import RESULTS, State, checked, facts_of, matrix, tried
from .sheet import AXES, sheet_of
from .still import draw_layout

ROOMS = ("numbers", "elements", "small/live", "small/layouts/layouts", "bridge")
LOOKS = ("page", "small/live", "small/layouts/layouts")


class LayoutsExplorer(SettingsExplorer):
    """The widget that `explore_layouts` makes; `set(layout_name=..., n=..., sizes=..., entry=..., tried=...)` does in code what the controls do by hand.

    `arrays` holds the matrices by name in this layout, `verdict` what becomes of the product that is tried; `facts` are the texts
    that the page shows, `still` is a `Picture`.
    """

    _esm = page.script(ROOMS)
    _css = page.style(LOOKS)
    called, rooms, looks, title = "explore_layouts", ROOMS, LOOKS, "One dense layer, four layouts"

    def __init__(self, sizes, n):
        super().__init__(sheet_of(), State(sizes, n))

    def _checked(self, state, asked):
        return checked(state, asked)

    def _numbers(self):
        product = tried(self._state).numbers
        return {name: matrix(self._state, name).numbers for name in RESULTS} | (
            {} if product is None else {"tried": product}
        )

    sizes = setting("sizes", "(units in, units out), 1 to 5 each; may be set.")
    n = setting("n", "How many examples, 1 to 6; may be set.")
    layout_name = setting(
        "layout_name",
        'The layout (`layout` is the widget\'s own word), "rows", "columns", "PyTorch" or "Keras"; may be set.',
    )
    entry = setting("entry", "The entry that is lit: a quantity, row and column from 0 in the layout in rows; may be set.")  # fmt: skip
    tried = setting("tried", 'The product that is tried, such as "X @ W"; may be set.')

    @property
    def arrays(self):
        """{name: array} in this layout: X, W, b, Z, D = dL/dZ, dW, dX, db; b and db have one axis."""
        found = {name: matrix(self._state, name).numbers.copy() for name in AXES if name != "one"}
        return found | {name: found[name].ravel() for name in ("b", "db")}

    @property
    def verdict(self):
        """Of the product that is tried: "right", "turned" (the transpose), "apart" (the shapes do not meet), or meeting by "chance", even with the "same" numbers."""
        return tried(self._state).verdict

    @property
    def facts(self):
        """The texts that the page shows, by slot."""
        return facts_of(self._state)

    @property
    def still(self):
        """The layout's four equations in matrices, as a `Picture`."""
        return draw_layout(self._state)

    def __repr__(self):
        return f"explore_layouts({list(self.sizes)}, n={self.n}, {self.layout_name})"
