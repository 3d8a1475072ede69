"""How long an explorer lives: one that is shown again from the same cell takes the place of the one before."""

from weakref import WeakSet

_shown = {}  # cell -> (the run of the cell, its explorers)


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
