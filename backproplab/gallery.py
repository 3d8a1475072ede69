"""Every page of the notebooks in one folder, with an index: files that a teacher can put on any web server.

`python -m backproplab.gallery notebooks build/pages` runs each notebook of the first folder, saves every explorer
that it shows as the notebook shows it, and writes `index.html` beside them. It runs the notebooks' code: run your own only.
"""

import ast
import base64
import io
import json
import pathlib
import re
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from html import escape, unescape
from importlib.resources import files
from typing import NamedTuple
from urllib.parse import quote

from .explorers import page
from .explorers.life import Explorer
from .paper.mathml import markup, tree

WORDS = {
    "title": "Backpropagation, term by term: the pages",
    "says": "Pages to move, one for each explorer of the notebooks. Each of them is one file, which needs no kernel and no network: open it, send it, show it to a class.",
    "left": "Not all of this notebook could be run: it needs {module}, which is not installed here.",
}  # fmt: skip
INDEX = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<style>{style}</style></head><body class="bp-file"><main class="bp-page bp-gallery"><h1 class="bp-title">{title}</h1><p>{says}</p>
{chapters}</main></body></html>
"""
CHAPTER = """<section><div><h2><span>{name}</span> {title}</h2><p>{says}</p>{left}</div><ul>
{cards}
</ul></section>
"""
CARD = (
    """<li><img src="data:image/svg+xml;base64,{still}" alt="{label}"><a href="{file}">{title}</a><p>{asks}</p></li>"""
)


class Card(NamedTuple):
    """A saved page: its file, its title, its still; the section of the notebook that shows it, and the sentence before it."""

    file: str
    title: str
    still: object
    section: str
    asks: str


class Chapter(NamedTuple):
    """A notebook: the name of its file, its title, what one does in it, its cards; `missing` is a module that it needs in vain."""

    name: str
    title: str
    says: str
    cards: list
    missing: str


def write(notebooks, pages):
    """Run the notebooks of a folder and write their pages with `index.html` into another: a list of `Chapter`.

    ValueError: a folder without notebooks, a cell that fails. OSError: what cannot be read or written.
    """
    paths, pages = sorted(pathlib.Path(notebooks).resolve().glob("*.ipynb")), pathlib.Path(pages).resolve()
    if not paths:
        raise ValueError(f"gallery: {notebooks} holds no notebooks; expected a folder with files *.ipynb")
    pages.mkdir(parents=True, exist_ok=True)
    chapters = [_chapter(path, pages) for path in paths]
    (pages / "index.html").write_text(_index(chapters), encoding="utf-8")
    return chapters


def _chapter(path, pages):
    """Run a notebook and save each page at the moment that it is shown."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    opening = "".join(cells[0]["source"]) if cells else ""
    title, does = re.search(r"^# (.*)", opening, re.M), re.search(r"\*\*What you'll do:\*\* (.*)", opening)
    cards, missing = [], ""
    try:
        for section, asks, explorer in _shown(cells, path):
            file = pages / f"{path.stem}_{len(cards) + 1}.html"
            explorer.save(file)
            called = re.search("<title>(.*?)</title>", file.read_text(encoding="utf-8"), re.S)[1]
            cards.append(Card(file.name, unescape(called), explorer.still, section, asks))
    except ModuleNotFoundError as error:
        missing = error.name
    says = does[1] if does else ""
    return Chapter(path.stem, title[1] if title else path.stem, says[:1].upper() + says[1:], cards, missing)


def _shown(cells, path):
    """(section, sentence, explorer) for each explorer that a notebook shows, between the cell that shows it and the next one."""
    names, section, asks, seen = {"__name__": "__main__"}, "", "", []
    for place, cell in enumerate(cells, 1):
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            section = [section, *re.findall(r"^##+ (.*)", text, re.M)][-1]
            asks = _asks(text)
        elif cell["cell_type"] == "code":
            value = _run(text, names, path, place)
            if isinstance(value, Explorer) and not any(value is other for other in seen):
                seen.append(value)
                yield section, asks, value


def _asks(text):
    """What a cell of Markdown asks, its first question in bold type; one that asks nothing: its first sentence."""
    bold = re.findall(r"\*\*(.+?)\*\*", text)
    plain = re.sub(r"^#.*", "", text, flags=re.M).strip()
    first = re.match(r".+?[.?!:](?=\s|$)|.*", plain)
    return next((part for part in bold if part.endswith("?")), first[0])


def _run(text, names, path, place):
    """Run a cell, quietly, in the notebook's folder: the value of its last line."""
    where = f"cell {place} of {path.name}"
    with chdir(path.parent), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        try:
            code = ast.parse("\n".join(line for line in text.splitlines() if not line.startswith("%")), where)
            last = code.body.pop() if code.body and isinstance(code.body[-1], ast.Expr) else None
            exec(compile(code, where, "exec"), names)
            return last and eval(compile(ast.Expression(last.value), where, "eval"), names)
        except ModuleNotFoundError:
            raise
        except Exception as error:
            raise ValueError(
                f"gallery: {where} fails: {type(error).__name__}: {error}; run it in JupyterLab"
            ) from error


def _told(text):
    """A line of Markdown as HTML: mathematics between dollars, code between backticks; every other letter is escaped."""
    parts = re.split(r"\$(.+?)\$", text.replace("*", ""))
    return "".join(_math(part) if place % 2 else _words(part) for place, part in enumerate(parts))


def _words(text):
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def _math(latex):
    """LaTeX as a person writes it, z_1 and a/b, as MathML; as it is where it has a command that we do not write."""
    braced = re.sub(r"([_^])(\w)", r"\1{\2}", latex)
    try:
        return "/".join(markup(tree(part)) for part in braced.split("/"))
    except ValueError:
        return escape(latex)


def _index(chapters):
    """The index as HTML: every text escaped, every still inside it."""
    style = page.style() + files(__package__).joinpath("gallery.css").read_text(encoding="utf-8")
    told = "".join(_section(chapter) for chapter in chapters if chapter.cards or chapter.missing)
    return INDEX.format(title=escape(WORDS["title"]), says=escape(WORDS["says"]), style=style, chapters=told)


def _section(chapter):
    cards = [
        CARD.format(
            still=base64.b64encode(card.still.svg.encode()).decode(),
            label=escape(card.still.label),
            file=escape(quote(card.file)),
            title=_link(card),
            asks=_told(card.asks),
        )
        for card in chapter.cards
    ]
    left = f"<p>{escape(WORDS['left'].format(module=chapter.missing))}</p>" if chapter.missing else ""
    title, says = _told(chapter.title), _told(chapter.says)
    return CHAPTER.format(name=escape(chapter.name), title=title, says=says, left=left, cards="\n".join(cards))


def _link(card):
    """The text of a link: two pages of one title differ in the section that shows them."""
    section = f"{_told(card.section)} · " if card.section not in ("", card.title) else ""
    return section + escape(card.title)


def main(notebooks, pages):
    """Write the pages, and say what became of each notebook."""
    for chapter in write(notebooks, pages):
        left = f"; {WORDS['left'].format(module=chapter.missing)}" if chapter.missing else ""
        print(f"{chapter.name}: {len(chapter.cards)} pages{left}")
    print(f"open {pathlib.Path(pages) / 'index.html'}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m backproplab.gallery NOTEBOOKS PAGES, two folders")
    main(*sys.argv[1:])
