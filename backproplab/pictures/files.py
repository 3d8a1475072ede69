"""A picture as a file: SVG, written by us so that the same picture is the same text; PNG, for places that show no SVG."""

import base64
import io
import pathlib
import re
from dataclasses import dataclass
from functools import cache
from html import escape

from ..paper.mathml import markup
from .shapes import BACKWARD, CARD, INK, MUTED, Circle, Group, Pill, Stroke, Text, width_of

PAGE = 860  # about as wide as a notebook's output
PLAIN = "DejaVu Serif"  # comes with matplotlib
MOST_SHAPES_IN_PNG = 2000  # matplotlib takes seconds for more
COLORS_IN_PNG = 160  # a third of the bytes of all colours
# Inside JupyterLab the colours are the theme's; elsewhere dark on a light card.
THEME = {
    INK: "var(--jp-content-font-color1, #1f2933)",
    MUTED: "var(--jp-content-font-color2, #6b7280)",
    CARD: "var(--jp-layout-color0, #ffffff)",
}
ROLES = {INK: "ink", MUTED: "muted", BACKWARD: "back", CARD: "card"}
FONT = "'STIX Two Text', 'Latin Modern Roman', 'DejaVu Serif', Georgia, serif"


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
        body = "".join(text for shape in self.shapes for text in _still(shape))
        w, h = _n(self.width), _n(self.height)
        size = f' width="{w}" height="{h}"' if self.width <= PAGE else ""  # without a size it fits itself to the page
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}"{size} role="img" aria-label="{escape(self.label)}" '
            f'font-family="{FONT}" style="max-width:100%;height:auto"><rect width="{w}" height="{h}" rx="8" fill="{_paint(CARD)}"/>{body}</svg>'
        )

    @property
    def png(self):
        """The picture as PNG bytes, drawn by matplotlib; None where no installed font has the letters of its names."""
        from matplotlib import rc_context
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from PIL import Image

        font = _font_with(_letters(self.shapes))
        if font is None:
            return None
        dots = min(130, 140_000 / self.width)  # a wide picture needs no more pixels than a page
        figure = Figure(figsize=(self.width / 100, self.height / 100), dpi=dots, facecolor=CARD)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, self.width), ylim=(self.height, 0))
        axes.axis("off")
        for shape in self.shapes:
            PNG[type(shape)](shape, axes)
        own = {f"mathtext.{style}": font for style in ("rm", "it", "bf", "cal", "sf", "tt")}
        with rc_context(own), io.BytesIO() as file, io.BytesIO() as small:
            figure.savefig(file, format="png", metadata={"Software": None})
            Image.open(file).convert("RGB").quantize(COLORS_IN_PNG, Image.Quantize.FASTOCTREE).save(
                small, format="png", optimize=True
            )
            return small.getvalue()

    def save(self, path):
        """Write the picture to a file, "x.svg" or "x.png". ValueError: another ending, or no font for PNG. OSError: it cannot be written."""
        path = pathlib.Path(path)
        if path.suffix not in (".svg", ".png"):
            raise ValueError(f"Picture.save: the file must end in .svg or .png, found {path.name!r:.60}")
        data = self.svg.encode() if path.suffix == ".svg" else self.png
        if data is None:
            raise ValueError("Picture.save: no installed font has the letters of its names; save it as .svg")
        path.write_bytes(data)

    def _repr_mimebundle_(self, include=None, exclude=None):
        png = self.png if len(self.shapes) <= MOST_SHAPES_IN_PNG else None
        still = {"image/png": base64.b64encode(png).decode()} if png else {}
        return {"image/svg+xml": self.svg, "text/plain": repr(self)} | still

    def __repr__(self):
        return f"Picture({self.label})"


# --- SVG ----------------------------------------------------------------------------------------------------------------


def _text_svg(text):
    spans, level, before, ahead = [], 0, ("", ""), 0
    for run, style in text.runs:
        want, look = {"sub": 0.25, "sup": -0.4}.get(style, 0) * text.size, {}
        if want != level:
            look["dy"] = _n(want - level)
        back = 0.75 * width_of([before], text.size) if style == "sub" and before[1] == "sup" else 0
        if ahead - back:
            look["dx"] = _n(ahead - back)
        ahead = max(0, back - width_of([(run, style)], text.size)) if back else 0
        if want:
            look["font-size"] = _n(0.72 * text.size)
        if style == "i":
            look["font-style"] = "italic"
        spans.append(["tspan", look, run])
        level, before = want, (run, style)
    look = {
        "x": _n(text.x),
        "y": _n(text.y),
        "font-size": _n(text.size),
        "fill": text.color,
        "text-anchor": text.anchor,
    }
    yield ["text", look | ({"font-weight": "bold"} if text.weight == "bold" else {}), *spans]


def _halo_svg(text):
    wide, high = width_of(text.runs, text.size), 1.3 * text.size
    place = {"x": _n(text.x - wide / 2), "y": _n(text.y - 0.95 * text.size), "width": _n(wide), "height": _n(high)}
    return ["rect", place | {"rx": "4", "fill": CARD, "fill-opacity": "0.8"}]


def _circle_svg(circle):
    place = {"cx": _n(circle.x), "cy": _n(circle.y), "r": _n(circle.r)}
    yield ["circle", place | {"fill": circle.fill, "stroke": circle.rim, "stroke-width": _n(circle.width)}]


def _pill_svg(pill):
    x, y = pill.x - pill.width / 2, pill.y - pill.height / 2
    place = {"x": _n(x), "y": _n(y), "width": _n(pill.width), "height": _n(pill.height), "rx": _n(pill.height / 2)}
    yield ["rect", place | {"fill": pill.fill, "stroke": pill.rim, "stroke-width": "1.2"}]


def _stroke_svg(stroke):
    first, *others = (f"{_n(x)} {_n(y)}" for x, y in stroke.points)
    look = {"d": f"M{first} {'C' if stroke.curved else 'L'}{' '.join(others)}", "fill": "none", "stroke": stroke.color}
    look |= {"stroke-width": _n(stroke.width)} | ({"stroke-dasharray": "6 4"} if stroke.dashed else {})
    yield ["path", look]
    if stroke.arrow:
        yield ["polygon", {"points": " ".join(f"{_n(x)},{_n(y)}" for x, y in stroke.head), "fill": stroke.color}]


SVG = {Text: _text_svg, Circle: _circle_svg, Pill: _pill_svg, Stroke: _stroke_svg}


def _still(shape):
    """A shape as SVG text, its colours written out."""
    halo = [_halo_svg(shape)] if isinstance(shape, Text) and shape.halo else []
    for tag, look, *children in [*halo, *SVG[type(shape)](shape)]:
        painted = {name: _paint(value) if name in ("fill", "stroke") else value for name, value in look.items()}
        yield markup([tag, painted, *children])


def live(shape):
    """A shape as elements for the page, its colours as classes, with its slot, its mark and what may be chosen."""
    if isinstance(shape, Group):
        inner = [element for part in shape.shapes for element in live(part)]
        return [["g", {"data-pick": shape.pick}, *inner]]
    found = []
    for tag, look, *children in SVG[type(shape)](shape):
        paints = [f"{name[0]}-{ROLES[look[name]]}" for name in ("fill", "stroke") if look.get(name, "none") in ROLES]
        paints += ["halo"] if getattr(shape, "halo", False) else []
        paints += ["quiet"] if shape.quiet else []
        paints += ["forward"] if isinstance(shape, Stroke) and not shape.dashed else []
        kept = {name: value for name, value in look.items() if name not in ("fill", "stroke")}
        slot = [["tspan", {"data-slot": shape.slot}]] if getattr(shape, "slot", "") else []
        mark = {"data-mark": shape.mark} if shape.mark else {}
        found.append([tag, kept | mark | {"class": " ".join(paints)}, *children, *slot])
    return found


def _n(value):
    """A coordinate to a tenth of a pixel."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _paint(color):
    return THEME.get(color, color)


# --- PNG ----------------------------------------------------------------------------------------------------------------


def _letters(shapes):
    """The letters of texts that matplotlib's own serif font lacks, Chinese ones for instance."""
    return frozenset(letter for shape in shapes if isinstance(shape, Text) for letter in _lacking(shape))


def _lacking(text):
    return {letter for run, _ in text.runs for letter in run if letter.isalpha() and not _has(PLAIN, letter)}


@cache
def _fonts():
    """The installed upright fonts, the file of each family; matplotlib's own serif font first."""
    from matplotlib.font_manager import fontManager

    upright = {
        f.name: f.fname for f in fontManager.ttflist if f.style == "normal" and f.weight in (400, "normal", "regular")
    }
    return {PLAIN: upright[PLAIN]} | {name: upright[name] for name in sorted(upright) if "Last Resort" not in name}


@cache
def _has(family, letter):
    from matplotlib.font_manager import get_font

    return bool(get_font(_fonts()[family]).get_char_index(ord(letter)))


@cache
def _font_with(letters):
    """The first family that has all the letters; None if there is none."""
    return next((family for family in _fonts() if all(_has(family, letter) for letter in letters)), None)


def _text_png(text, axes):
    from matplotlib.patheffects import withStroke

    marks = {"i": r"\mathit{%s}", "sub": "_{%s}", "sup": "^{%s}", "": r"\mathrm{%s}", "bold": r"\mathbf{%s}"}
    upright = "bold" if text.weight == "bold" else ""
    written = "".join(marks[style or upright] % _mathtext(run) for run, style in text.runs)
    axes.text(
        text.x,
        text.y,
        f"${written}$",
        fontsize=0.72 * text.size,
        color=text.color,
        ha={"start": "left", "middle": "center", "end": "right"}[text.anchor],
        va="baseline",
        math_fontfamily="custom" if _lacking(text) else "dejavuserif",
        path_effects=[withStroke(linewidth=3, foreground=CARD)] if text.halo else None,
    )


def _mathtext(text):
    """Plain text inside mathtext: signs as they are, without the spaces that mathematics would put around them."""
    plain = text.replace("\u0302", "").replace("^", "ˆ")  # mathtext knows ^ only as a superscript or an accent
    escaped = re.sub(r"([\\$#%&_{}])", r"\\\1", plain).replace(" ", r"\ ")
    return re.sub("([=−+·])", r"{\1}", escaped)


def _circle_png(circle, axes):
    from matplotlib.patches import Circle as Disc

    place, rim = (circle.x, circle.y), 0.75 * circle.width
    axes.add_patch(Disc(place, circle.r, facecolor=circle.fill, edgecolor=circle.rim, linewidth=rim))


def _pill_png(pill, axes):
    from matplotlib.patches import FancyBboxPatch

    r = pill.height / 2
    corner, style = (pill.x - pill.width / 2 + r, pill.y), f"round,pad={r}"
    colors = dict(facecolor=pill.fill, edgecolor=pill.rim, linewidth=0.9)
    axes.add_patch(FancyBboxPatch(corner, pill.width - 2 * r, 0, boxstyle=style, **colors))


def _stroke_png(stroke, axes):
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path

    codes = [Path.MOVETO] + [Path.CURVE4 if stroke.curved else Path.LINETO] * (len(stroke.points) - 1)
    look = dict(edgecolor=stroke.color, linewidth=0.75 * stroke.width, linestyle=(0, (5, 3)) if stroke.dashed else "-")
    axes.add_patch(PathPatch(Path(stroke.points, codes), fill=False, **look))
    if stroke.arrow:
        axes.add_patch(Polygon(stroke.head, color=stroke.color, linewidth=0))


PNG = {Text: _text_png, Circle: _circle_png, Pill: _pill_png, Stroke: _stroke_png}
