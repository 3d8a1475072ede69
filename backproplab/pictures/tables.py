"""Rows of cells as a table, in text and in HTML; the quantities of a trace as one."""

import copy
from dataclasses import dataclass
from html import escape

import numpy as np

from ..given import shown
from ..notation import number

LARGEST_SHOWN = 12  # entries of an array in a table
HEADINGS = ("quantity", "value", "gradient")


def text_table(rows):
    """Rows of cells, the first of them headings, in columns that end below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def html_table(rows):
    """Rows of cells, the first of them headings, in HTML; every cell is escaped."""
    head, *body = (
        "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row)
        for tag, row in zip(["th"] + ["td"] * (len(rows) - 1), rows, strict=True)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(f'<tr>{row}</tr>' for row in body)}</tbody></table>"


@dataclass(frozen=True)
class Table:
    """The quantities by name, with value and gradient, 6 digits; large arrays by their shape."""

    trace: dict
    gradient: dict | None = None

    @property
    def rows(self):
        """The cells row by row, headings first."""
        if self.gradient is None:
            return [HEADINGS[:2], *((name, _entry(value)) for name, value in self.trace.items())]
        gradient = {name: _entry(value) for name, value in self.gradient.items()}
        return [HEADINGS, *((name, _entry(value), gradient.get(name, "")) for name, value in self.trace.items())]

    def __repr__(self):
        return text_table(self.rows)

    def _repr_html_(self):
        return html_table(self.rows)


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
            raise TypeError(f"table: expected a trace and a gradient, dicts of numbers by name, found {shown(what)}")
    return Table(copy.deepcopy(trace), copy.deepcopy(gradient))
