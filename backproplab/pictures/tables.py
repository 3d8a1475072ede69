"""The quantities as a table."""

from dataclasses import dataclass
from html import escape

import numpy as np

from ..notation import number

LARGEST_SHOWN = 12  # entries of an array in a table
HEADINGS = ("quantity", "value", "gradient")


@dataclass(frozen=True)
class Table:
    """The quantities by name, with value and gradient, 6 digits; large arrays by their shape."""

    trace: dict
    gradient: dict | None = None

    def _rows(self):
        yield HEADINGS if self.gradient is not None else HEADINGS[:2]
        for name, value in self.trace.items():
            last = () if self.gradient is None else (_entry(self.gradient[name]) if name in self.gradient else "",)
            yield (name, _entry(value), *last)

    def __repr__(self):
        rows = list(self._rows())
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)

    def _repr_html_(self):
        head, *body = (
            "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row)
            for tag, row in zip(["th"] + ["td"] * len(self.trace), self._rows(), strict=True)
        )
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(f'<tr>{row}</tr>' for row in body)}</tbody></table>"
        )


def _entry(value):
    """A number, a small array row by row, a large one by its shape."""
    if np.ndim(value) == 0:
        return number(value)
    if np.size(value) > LARGEST_SHOWN:
        return f"shape {np.shape(value)}"
    return "[" + ", ".join(map(_entry, value)) + "]"


def table(trace, gradient=None):
    """Every quantity of a trace by name: its value, and beside it its gradient. TypeError: no dict of numbers."""
    for what in (trace, gradient or {}):
        if not isinstance(what, dict) or not all(np.asarray(value).dtype.kind in "fiub" for value in what.values()):
            raise TypeError(
                f"table: expected a trace and a gradient, dicts of numbers by name, found {type(what).__name__} {what!r:.40}"
            )
    return Table(trace, gradient)
