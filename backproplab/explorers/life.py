"""How an explorer lives: what every one is, and how one that is shown again from the same cell takes the place of the one before."""

from weakref import WeakSet

import anywidget
import traitlets

_shown = {}  # cell -> (the run of the cell, its explorers)


def of_state(name, doc):
    """A property that reads a field of the state and sets it, or refuses to."""

    def read(self):
        value = getattr(self._state, name)
        return list(value) if isinstance(value, tuple) else value

    return property(read, lambda self, value: self._change(**{name: value}), doc=doc)


class Explorer(anywidget.AnyWidget):
    """A page in a notebook: a sheet, a state, a `still` that stands beside it in what a notebook saves."""

    sheet = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def close(self):
        """Take the widget from every page and free what it holds."""
        self.layout.close()
        super().close()
        self.sheet = self.state = {}  # a notebook's Out keeps the explorer itself

    def _repr_mimebundle_(self, **options):
        data, metadata = super()._repr_mimebundle_(**options)
        still = self.still._repr_mimebundle_()
        still.pop("image/svg+xml")  # where the widget lives the page draws it; elsewhere SVG is not trusted
        return data | still | {"text/plain": repr(self)}, metadata


def keep(explorer):
    """Remember an explorer under the cell that makes it; those of an earlier run of that cell are closed."""
    cell, run = _here()
    if cell is None:
        return
    before, explorers = _shown.get(cell, (None, WeakSet()))
    if before != run:
        for old in list(explorers):
            old.close()
        explorers = WeakSet()
    explorers.add(explorer)
    _shown[cell] = run, explorers


def _here():
    """The cell that is running, and which run of it this is; None outside a notebook."""
    try:
        from IPython import get_ipython

        parent = get_ipython().get_parent()
    except (ImportError, AttributeError):
        return None, None
    return parent.get("metadata", {}).get("cellId"), parent.get("header", {}).get("msg_id")
