"""The shapes of which pictures are made, as data: places and sizes in pixels, y downwards.

In a template a text may have a `slot`, which facts fill, and a shape a `mark`, by which facts change its look (`LOOKS`);
a `quiet` shape is seen only where it is lit.
"""

import operator
from dataclasses import dataclass
from functools import reduce

INK, MUTED, CARD = "#1f2933", "#6b7280", "#ffffff"
BACKWARD = "#d0342c"


@dataclass(frozen=True)
class Text:
    """A line of mathematics, as runs (text, style): "i" italic, "sub", "sup" or "" upright; `halo` keeps it readable over edges."""

    x: float
    y: float
    runs: tuple
    size: float = 14
    color: str = INK
    anchor: str = "middle"
    weight: str = "normal"
    halo: bool = False
    mark: str = ""
    slot: str = ""
    quiet: bool = False


@dataclass(frozen=True)
class Circle:
    """A disc with a rim."""

    x: float
    y: float
    r: float
    rim: str = INK
    fill: str = CARD
    width: float = 1.4
    mark: str = ""
    quiet: bool = False


@dataclass(frozen=True)
class Pill:
    """A box with round ends, behind a label."""

    x: float
    y: float
    width: float
    height: float
    rim: str = INK
    fill: str = CARD
    mark: str = ""
    quiet: bool = False


@dataclass(frozen=True)
class Stroke:
    """A line through points: straight pieces, or with `curved` one cubic for each three points after the first; perhaps with an arrow."""

    points: tuple
    color: str = INK
    width: float = 1.4
    dashed: bool = False
    arrow: bool = False
    curved: bool = False
    mark: str = ""
    quiet: bool = False

    @property
    def head(self):
        """The corners of the arrow's head."""
        (x0, y0), (x, y) = self.points[-2:]
        length = ((x - x0) ** 2 + (y - y0) ** 2) ** 0.5 or 1.0
        ux, uy = (x - x0) / length, (y - y0) / length
        return (x, y), (x - 9 * ux - 4 * uy, y - 9 * uy + 4 * ux), (x - 9 * ux + 4 * uy, y - 9 * uy - 4 * ux)


@dataclass(frozen=True)
class Group:
    """Shapes that belong together, a quantity that can be chosen: `pick` is its name, `label` says it in words."""

    shapes: tuple
    pick: str
    label: str


def width_of(runs, size):
    """About how wide the runs are, in pixels; an index stands below the superscript before it."""
    wide = [len(text) * size * (0.4 if style in ("sub", "sup") else 0.56) for text, style in runs]
    stacked = [min(wide[i - 1 : i + 1]) for i in range(1, len(runs)) if (runs[i - 1][1], runs[i][1]) == ("sup", "sub")]
    # From left to right: `sum` compensates from Python 3.12 on, and would move a picture by a tenth of a pixel there.
    return reduce(operator.add, wide, 0.0) - reduce(operator.add, stacked, 0.0)
