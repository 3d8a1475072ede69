"""Shapes -> SVG, written by us so that the same picture is the same text; and PNG, for places that show no SVG."""

import base64
import io
import re
from dataclasses import dataclass
from html import escape

from ..notation import GREEK, split_name

# Inside JupyterLab the colours are the theme's; elsewhere dark on a light card.
INK, MUTED, CARD = "#1f2933", "#6b7280", "#ffffff"
BACKWARD = "#d0342c"
PAGE = 860  # about as wide as a notebook's output
MOST_SHAPES_IN_PNG = 2000  # matplotlib takes seconds for more
THEME = {
    INK: "var(--jp-content-font-color1, #1f2933)",
    MUTED: "var(--jp-content-font-color2, #6b7280)",
    CARD: "var(--jp-layout-color0, #ffffff)",
}
FONT = "'STIX Two Text', 'Latin Modern Roman', 'DejaVu Serif', Georgia, serif"


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

    def svg(self):
        """The shape as SVG text."""
        spans, level, before, ahead = [], 0, ("", ""), 0
        for text, style in self.runs:
            want = {"sub": 0.25, "sup": -0.4}.get(style, 0) * self.size
            shift = f' dy="{_n(want - level)}"' if want != level else ""
            back = width_of([before], self.size) if style == "sub" and before[1] == "sup" else 0
            shift += f' dx="{_n(ahead - back)}"' if ahead - back else ""
            ahead = max(0, back - width_of([(text, style)], self.size)) if back else 0
            small = f' font-size="{_n(0.72 * self.size)}"' if want else ""
            slant = ' font-style="italic"' if style == "i" else ""
            spans.append(f"<tspan{shift}{small}{slant}>{escape(text)}</tspan>")
            level, before = want, (text, style)
        weight = ' font-weight="bold"' if self.weight == "bold" else ""
        text = (
            f'<text x="{_n(self.x)}" y="{_n(self.y)}" font-size="{_n(self.size)}" fill="{_paint(self.color)}" '
            f'text-anchor="{self.anchor}"{weight}>{"".join(spans)}</text>'
        )
        return self._background() + text if self.halo else text

    def _background(self):
        wide, high = width_of(self.runs, self.size), 1.3 * self.size
        return (
            f'<rect x="{_n(self.x - wide / 2)}" y="{_n(self.y - 0.95 * self.size)}" width="{_n(wide)}" height="{_n(high)}" '
            f'rx="4" fill="{_paint(CARD)}" fill-opacity="0.8"/>'
        )

    def png(self, axes):
        """Draw the shape on matplotlib axes."""
        from matplotlib.patheffects import withStroke

        marks = {"i": r"\mathit{%s}", "sub": "_{%s}", "sup": "^{%s}", "": r"\mathrm{%s}", "bold": r"\mathbf{%s}"}
        upright = "bold" if self.weight == "bold" else ""
        text = "".join(marks[style or upright] % _mathtext(run) for run, style in self.runs)
        side = {"start": "left", "middle": "center", "end": "right"}[self.anchor]
        halo = [withStroke(linewidth=3, foreground=CARD)] if self.halo else None
        axes.text(
            self.x,
            self.y,
            f"${text}$",
            fontsize=0.72 * self.size,
            color=self.color,
            ha=side,
            va="baseline",
            math_fontfamily="dejavuserif",
            path_effects=halo,
        )


@dataclass(frozen=True)
class Circle:
    """A disc with a rim."""

    x: float
    y: float
    r: float
    rim: str = INK
    fill: str = CARD
    width: float = 1.4

    def svg(self):
        """The shape as SVG text."""
        return f'<circle cx="{_n(self.x)}" cy="{_n(self.y)}" r="{_n(self.r)}" fill="{_paint(self.fill)}" stroke="{_paint(self.rim)}" stroke-width="{_n(self.width)}"/>'

    def png(self, axes):
        """Draw the shape on matplotlib axes."""
        from matplotlib.patches import Circle as Disc

        axes.add_patch(
            Disc((self.x, self.y), self.r, facecolor=self.fill, edgecolor=self.rim, linewidth=0.75 * self.width)
        )


@dataclass(frozen=True)
class Pill:
    """A box with round ends, behind a label."""

    x: float
    y: float
    width: float
    height: float
    rim: str = INK
    fill: str = CARD

    def svg(self):
        """The shape as SVG text."""
        x, y = self.x - self.width / 2, self.y - self.height / 2
        return (
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(self.width)}" height="{_n(self.height)}" rx="{_n(self.height / 2)}" '
            f'fill="{_paint(self.fill)}" stroke="{_paint(self.rim)}" stroke-width="1.2"/>'
        )

    def png(self, axes):
        """Draw the shape on matplotlib axes."""
        from matplotlib.patches import FancyBboxPatch

        r = self.height / 2
        corner, style = (self.x - self.width / 2 + r, self.y), f"round,pad={r}"
        axes.add_patch(
            FancyBboxPatch(
                corner, self.width - 2 * r, 0, boxstyle=style, facecolor=self.fill, edgecolor=self.rim, linewidth=0.9
            )
        )


@dataclass(frozen=True)
class Stroke:
    """A line through points: straight pieces, or with `curved` one cubic for each three points after the first; perhaps with an arrow."""

    points: tuple
    color: str = INK
    width: float = 1.4
    dashed: bool = False
    arrow: bool = False
    curved: bool = False

    def svg(self):
        """The shape as SVG text."""
        first, *others = (f"{_n(x)} {_n(y)}" for x, y in self.points)
        dash = ' stroke-dasharray="6 4"' if self.dashed else ""
        line = f'<path d="M{first} {"C" if self.curved else "L"}{" ".join(others)}" fill="none" stroke="{_paint(self.color)}" stroke-width="{_n(self.width)}"{dash}/>'
        head = " ".join(f"{_n(x)},{_n(y)}" for x, y in self._head()) if self.arrow else ""
        return line + (f'<polygon points="{head}" fill="{_paint(self.color)}"/>' if head else "")

    def _head(self):
        (x0, y0), (x, y) = self.points[-2:]
        length = ((x - x0) ** 2 + (y - y0) ** 2) ** 0.5 or 1.0
        ux, uy = (x - x0) / length, (y - y0) / length
        return (x, y), (x - 9 * ux - 4 * uy, y - 9 * uy + 4 * ux), (x - 9 * ux + 4 * uy, y - 9 * uy - 4 * ux)

    def png(self, axes):
        """Draw the shape on matplotlib axes."""
        from matplotlib.patches import PathPatch, Polygon
        from matplotlib.path import Path

        codes = [Path.MOVETO] + [Path.CURVE4 if self.curved else Path.LINETO] * (len(self.points) - 1)
        style = (0, (5, 3)) if self.dashed else "solid"
        axes.add_patch(
            PathPatch(
                Path(self.points, codes), fill=False, edgecolor=self.color, linewidth=0.75 * self.width, linestyle=style
            )
        )
        if self.arrow:
            axes.add_patch(Polygon(self._head(), color=self.color, linewidth=0))


@dataclass(frozen=True)
class Picture:
    """Shapes on a card; shows itself in a notebook as SVG, and as PNG where SVG is not trusted. `label` describes it in words."""

    width: float
    height: float
    shapes: tuple
    label: str = ""

    @property
    def svg(self):
        """The picture as SVG text: the same shapes give the same text."""
        body = "".join(shape.svg() for shape in self.shapes)
        w, h = _n(self.width), _n(self.height)
        size = f' width="{w}" height="{h}"' if self.width <= PAGE else ""  # without a size it fits itself to the page
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}"{size} role="img" aria-label="{escape(self.label)}" '
            f'font-family="{FONT}" style="max-width:100%;height:auto"><rect width="{w}" height="{h}" rx="8" fill="{_paint(CARD)}"/>{body}</svg>'
        )

    @property
    def png(self):
        """The picture as PNG bytes, drawn by matplotlib."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        dots = min(130, 140_000 / self.width)  # a wide picture needs no more pixels than a page
        figure = Figure(figsize=(self.width / 100, self.height / 100), dpi=dots, facecolor=CARD)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, self.width), ylim=(self.height, 0))
        axes.axis("off")
        for shape in self.shapes:
            shape.png(axes)
        with io.BytesIO() as file:
            figure.savefig(file, format="png", metadata={"Software": None})
            return file.getvalue()

    def _repr_mimebundle_(self, include=None, exclude=None):
        still = {"image/png": base64.b64encode(self.png).decode()} if len(self.shapes) <= MOST_SHAPES_IN_PNG else {}
        return {"image/svg+xml": self.svg, "text/plain": repr(self)} | still

    def __repr__(self):
        return f"Picture({self.label})"


def name_runs(name):
    """The runs of a quantity's name: italic letters, layer above, index below."""
    base, above, below = split_name(name)
    mark = "\u0302" if below == "hat" else ""
    runs = [(GREEK.get(base, base) + mark, "i"), (above, "sup"), ("" if mark else below, "sub")]
    return tuple(run for run in runs if run[0])


def partial_runs(of, wrt):
    """The runs of a derivative in one line: ∂a/∂z."""
    return (("∂", ""), *name_runs(of), ("/∂", ""), *name_runs(wrt))


def line_runs(text):
    """The runs of a line's text: names in italics, powers of a number raised, a product as a thin space."""
    runs, at = [], 0
    pattern = re.compile(
        r"\*\*\s*(?P<power>[0-9.]+)(?![\w.])|(?P<number>\.?[0-9][0-9.]*(?:[eE][+-]?[0-9]+)?)|(?P<name>[^\W\d_]\w*)(?P<call>\s*\()?|\s*(?P<sign>\*\*|[-*+/])\s*"
    )
    signs = {"-": " − ", "*": " ", "+": " + ", "/": " / ", "**": "^"}
    for found in pattern.finditer(text):
        runs.append((text[at : found.start()], ""))
        if found["power"]:
            runs.append((found["power"], "sup"))
        elif found["number"]:
            runs.append((found["number"].replace("-", "−"), ""))
        elif found["call"]:
            runs.append(({"sigmoid": "σ"}.get(found["name"], found["name"]) + "(", ""))
        elif found["name"]:
            runs.extend(name_runs(found["name"]))
        elif found["sign"] == "*" and (text[found.end() : found.end() + 1].isdigit() or "/" in text[: found.start()]):
            runs.append((" · ", ""))
        else:
            first = not text[: found.start()].strip() or text[: found.start()].rstrip()[-1] in "(,*/+-"
            minus = " −" if text[: found.start()].endswith(",") else "−"
            runs.append((minus if first and found["sign"] == "-" else signs[found["sign"]], ""))
        at = found.end()
    runs.append((text[at:], ""))
    return tuple(run for run in runs if run[0])


def width_of(runs, size):
    """About how wide the runs are, in pixels; an index stands below the superscript before it."""
    wide = [len(text) * size * (0.4 if style in ("sub", "sup") else 0.56) for text, style in runs]
    stacked = [min(wide[i - 1 : i + 1]) for i in range(1, len(runs)) if (runs[i - 1][1], runs[i][1]) == ("sup", "sub")]
    return sum(wide) - sum(stacked)


def _n(value):
    return (
        f"{value:.1f}".rstrip("0").rstrip(".").replace("-0", "0")
        if abs(value) < 0.05
        else f"{value:.1f}".removesuffix(".0")
    )


def _paint(color):
    return THEME.get(color, color)


def _mathtext(text):
    """Plain text inside mathtext: signs as they are, without the spaces that mathematics would put around them."""
    escaped = re.sub(r"([\\$#%&_{}^])", r"\\\1", text.replace("\u0302", "")).replace(" ", r"\ ")
    return re.sub("([=−+·])", r"{\1}", escaped)
