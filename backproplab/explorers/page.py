"""A page: a module of JavaScript and its style, beside a sheet and a state; for a widget, or as one file."""

import base64
import hashlib
import json
import re
from functools import cache
from html import escape
from importlib.resources import files

FILE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'">
<style>{style}</style></head><body class="bp-file"><main><h1 class="bp-title">{title}</h1><div id="page"></div></main>
<script type="application/json" id="sheet">{sheet}</script><script type="application/json" id="state">{state}</script>
<script type="module">{script}</script></body></html>
"""
# What the page of a graph is made of; each of these lists ends in a class `Page` and the bridge to a kernel.
GRAPH = ("operations", "numbers", "computation", "elements", "panels", "chain", "plots", "wide/layers", "sharing", "asking/tour", "asking/compare", "asking/swap", "asking/guessing", "contours", "asking/blind", "page", "bridge")  # fmt: skip
# Rooms that a saved page holds only where they are used.
USED = {
    "wide/layers": lambda sheet, state: sheet["layers"] is not None,
    "asking/swap": lambda sheet, state: sheet["functions"],
    "asking/guessing": lambda sheet, state: state["predict"] is not None,
    "contours": lambda sheet, state: state["blind"] is not None,
    "asking/blind": lambda sheet, state: state["blind"] is not None,
    "asking/tour": lambda sheet, state: sheet["tour"],
}
LOOKS = ("page", "contours", "asking/asking")
START = """
const read = (id) => JSON.parse(document.getElementById(id).textContent);
try {
  globalThis.page = new Page(document.getElementById("page"), read("sheet"), read("state"));
  const follow = () => page.sharing?.follow(location.hash);
  addEventListener("hashchange", follow);
  follow();
}
catch (error) { document.getElementById("page").textContent = String(error); }
"""


@cache
def _text(name):
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def script(rooms=GRAPH):
    """The page's module: the rooms of JavaScript that it is made of, one after the other."""
    return "\n".join(_text(f"{room}.js") for room in rooms)


def lean(code):
    """The same program without indents and lines that are only a comment: a saved page is read by a browser."""
    return re.sub(r"^[ \t]+|^[ \t]*//.*\n|^[ \t]*/\*\*.*\*/\n", "", code, flags=re.M)


def rooms_of(sheet, state):
    """The rooms that the page of a graph needs in a file of its own."""
    return tuple(room for room in GRAPH if room not in USED or USED[room](sheet, state))


def lean_style(style):
    """The same style without the spaces that only its readers need."""
    return re.sub(r"\s*([{};,])\s*", r"\1", style)


def style(rooms=LOOKS):
    """The page's style: its rooms of CSS, one after the other."""
    return "\n".join(_text(f"{room}.css") for room in rooms)


def as_file(sheet, state, title, rooms=GRAPH, styles=LOOKS):
    """The page as one file that needs no kernel and no network."""
    code = lean(script(rooms) + START)
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    return FILE.format(
        title=escape(title),
        digest=digest,
        style=lean_style(style(styles)),
        sheet=_json(sheet),
        state=_json(state),
        script=code,
    )


def _json(data):
    """JSON inside a script element, which nothing in a name can end."""
    return json.dumps(data, allow_nan=False, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
