"""The gallery: every page of the notebooks with an index, opened from the disk in headless Chromium; and notebooks that mean harm."""

import json
import pathlib
import re
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from driven import hurdles, visited

import backproplab as bp
from backproplab import gallery

ROOT = pathlib.Path(__file__).parent.parent
FIRST = "# {title}\n\n**What you'll do:** {says}\n**What you need:** nothing."
HOSTILE = ["</title><script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"onmouseover="alert(1)', "&lt;b&gt;", "$</math><script>alert(1)</script>$", "`</code><img src=x>`", r"$\nothing <img src=x>$", "{title} {0} %s"]  # fmt: skip


def notebook(folder, name, *cells, title="A title", says="look at it."):
    """A notebook whose code cells are those that do not begin with a mark of Markdown."""
    kinds = [(text, "markdown" if text.startswith(("#", "**")) else "code") for text in (FIRST.format(title=title, says=says), *cells)]  # fmt: skip
    made = {"cells": [{"cell_type": kind, "source": text.splitlines(keepends=True)} for text, kind in kinds]}
    (folder / f"{name}.ipynb").write_text(json.dumps(made), encoding="utf-8")


class Read(HTMLParser):
    """What an index holds: its tags, and the texts by tag."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.links, self.labels, self.open = [], {}, [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.open.append(tag)
        self.links += [value for name, value in attributes if name == "href"]
        self.labels += [value for name, value in attributes if name == "alt"]
        assert not [name for name, _ in attributes if name.startswith("on")]

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        for tag in self.open:
            self.texts.setdefault(tag, []).append(data)


def read(pages):
    return Read((pages / "index.html").read_text(encoding="utf-8"))


def state_of(path):
    """The state in which a saved page opens."""
    return json.loads(re.search(r'id="state">(.*?)</script>', path.read_text(encoding="utf-8"), re.S)[1])


# --- what is written --------------------------------------------------------------------------------------------------


def test_a_page_for_each_explorer_that_is_shown(tmp_path, capsys):
    notebook(
        tmp_path, "02_two",
        "%precision %.6g\nimport backproplab as bp", "## Move it\n\n**Which one is steeper?** Look:", "e = bp.explore_activation('tanh', z=2.0)\nprint('quiet')\ne", "e.set(z=-3.0)\ne",
        "## Another\n\n**Which one is it?**", "x = 1", "### More\n\nNo question.", "hidden = bp.explore_softmax()", "bp.explore_loss(z=1.0)", "import sys\nprint('quiet too', file=sys.stderr)\n1 + 1",
        title="Two pages", says="see $z_1 = a/b$ and `W.T`.",
    )  # fmt: skip
    notebook(tmp_path, "01_none", "x = 1\nx")
    one, two = gallery.write(tmp_path, tmp_path / "pages" / "deep")
    pages = tmp_path / "pages" / "deep"
    assert sorted(path.name for path in pages.iterdir()) == ["02_two_1.html", "02_two_2.html", "index.html"]
    assert capsys.readouterr() == ("", "")
    assert state_of(pages / "02_two_1.html")["z"] == 2.0, "as the notebook first shows it"
    assert state_of(pages / "02_two_2.html")["z"] == 1.0
    assert one.cards == [] and [(card.section, card.asks) for card in two.cards] == [("Move it", "Which one is steeper?"), ("More", "No question.")]  # fmt: skip
    index = read(pages)
    assert index.links == ["02_two_1.html", "02_two_2.html"]
    assert index.texts["a"] == [
        "Move it · Activations and their slopes",
        "More · Output and loss, and the slope that flows back",
    ]
    assert "".join(index.texts["h2"]) == "02_two Two pages" and "Which one is steeper?" in index.texts["p"]
    assert index.texts["math"] == ["z", "1", "=", "a", "b"] and index.texts["code"] == ["W.T"] and "msub" in index.tags
    assert index.labels == [bp.explore_activation("tanh", z=2.0).still.label, bp.explore_loss(z=1.0).still.label]
    assert index.tags.count("img") == 2 and "script" not in index.tags


def test_an_explorer_of_a_long_title_and_a_wide_one(tmp_path):
    notebook(
        tmp_path, "wide", "import numpy as np\nimport backproplab as bp\nnet = bp.Network([20, 10, 5], ['tanh', 'sigmoid'], seed=0)",
        "bp.explore(net, np.ones((3, 20)), np.zeros((3, 5)))", "bp.explore(bp.Graph(a_long_name='x' + ' + x' * 60), x=1.0)",
    )  # fmt: skip
    gallery.write(tmp_path, tmp_path)
    first, second = read(tmp_path).texts["a"]
    assert first == "[20, 10, 5], 3 examples" and second.startswith("a_long_name = x + x") and len(second) < 100


@pytest.mark.parametrize("before, asks", [
    ("## Move it\n\n**Predict.** It has two valleys. **Which is *deeper*, at $0.3$?** Look. **And which wider?**", "Which is *deeper*, at $0.3$?"),
    ("## Move it\n\nThe page draws $h = 0.5$ and more. Drag it.\n\n**So.**", "The page draws $h = 0.5$ and more."), ("**Here** it is:\n\nlook", "**Here** it is:"), ("No stop\n\nmore", "No stop"), ("## Move it", ""),
])  # fmt: skip
def test_a_sentence_that_says_what_the_page_is_for(tmp_path, before, asks):
    notebook(tmp_path, "one", "import backproplab as bp", before if before[0] in "#*" else f"# \n{before}", "bp.explore_layouts()")  # fmt: skip
    (chapter,) = gallery.write(tmp_path, tmp_path)
    assert [card.asks for card in chapter.cards] == [asks] and "*" not in "".join(read(tmp_path).texts["p"])


def test_two_pages_of_one_title_have_links_of_two_texts(tmp_path):
    softmax = "Softmax and its cross entropy"
    notebook(tmp_path, "two", "import backproplab as bp", "## See it", "bp.explore_softmax()", "## Where $p_1$ is", "bp.explore_softmax()", f"## {softmax}", "bp.explore_softmax()")  # fmt: skip
    gallery.write(tmp_path, tmp_path)
    assert "".join(read(tmp_path).texts["a"]) == f"See it · {softmax}Where p1 is · {softmax}{softmax}"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_stays_a_text(tmp_path, text):
    notebook(tmp_path, "harm", "import backproplab as bp", f"## {text}\n\n**{text}?**", "bp.explore_layouts()", title=text, says=text)  # fmt: skip
    gallery.write(tmp_path, tmp_path)
    index = read(tmp_path)
    assert not {"script", "b"} & set(index.tags) and index.tags.count("img") == 1 and index.tags.count("title") == 1
    told = re.sub("[$`]", "", text)
    for tag in ("h2", "a", "p"):
        assert told in "".join(index.texts[tag]), tag


def test_a_hostile_file_name_and_a_hostile_page_title(tmp_path):
    name = "a&b 50% <i>#'x'"
    notebook(tmp_path, name, "import backproplab as bp", "e = bp.explore_softmax()\ne.title = '</title><script>alert(1)</script>'\ne")  # fmt: skip
    gallery.write(tmp_path, tmp_path)
    index = read(tmp_path)
    assert index.texts["a"] == ["</title><script>alert(1)</script>"] and not {"script", "i"} & set(index.tags)
    (link,) = index.links
    assert (tmp_path / unquote(link)).exists() and not set("<>'\" #") & set(link)


# --- what cannot be run -----------------------------------------------------------------------------------------------


def test_a_module_that_is_missing_is_said(tmp_path, capsys):
    notebook(tmp_path, "14_first", "import no_such_part.of_it")
    notebook(tmp_path, "15_other", "import backproplab as bp", "bp.explore_layouts()", "import no_such_module", "bp.explore_softmax()")  # fmt: skip
    notebook(tmp_path, "16_more", "import backproplab as bp", "bp.explore_softmax()")
    gallery.main(tmp_path, tmp_path / "pages")
    index, told = read(tmp_path / "pages"), "it needs no_such_module, which is not installed here"
    assert index.links == ["15_other_1.html", "16_more_1.html"] and index.tags.count("section") == 3
    assert told in "".join(index.texts["p"]) and "it needs no_such_part," in "".join(index.texts["p"])
    said = capsys.readouterr().out.splitlines()
    assert said[1].startswith("15_other: 1 pages; ") and told in said[1] and said[2] == "16_more: 1 pages"


@pytest.mark.parametrize("cell, message", [
    ("1 / 0", "gallery: cell 2 of bad.ipynb fails: ZeroDivisionError: division by zero"), ("x = (", "cell 2 of bad.ipynb fails: SyntaxError"), ("nothing", "cell 2 of bad.ipynb fails: NameError: name 'nothing' is not defined"),
])  # fmt: skip
def test_a_cell_that_fails_is_named(tmp_path, cell, message):
    notebook(tmp_path, "bad", cell)
    with pytest.raises(ValueError, match=re.escape(message)):
        gallery.write(tmp_path, tmp_path)


def test_a_folder_without_notebooks_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no notebooks"):
        gallery.write(tmp_path, tmp_path / "pages")


def test_a_cell_runs_in_the_folder_of_its_notebook(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    (tmp_path / "data.txt").write_text("3")
    notebook(
        tmp_path,
        "near",
        "import pathlib\nassert pathlib.Path('data.txt').read_text() == '3'",
        "import backproplab as bp\nbp.explore_softmax()",
    )
    gallery.write(tmp_path, tmp_path)
    assert pathlib.Path.cwd() == ROOT and (tmp_path / "near_1.html").exists()


# --- the pages of our notebooks -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """What `make pages` writes."""
    folder = tmp_path_factory.mktemp("build") / "pages"
    command = [sys.executable, "-m", "backproplab.gallery", "notebooks", str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=500)
    assert ran.returncode == 0 and ran.stderr == "", ran.stderr
    return folder


def shown_in_the_notebooks():
    """How many widgets the stored outputs of each notebook hold, by its name."""
    found = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        views = [1 for cell in cells for output in cell.get("outputs", ()) if "application/vnd.jupyter.widget-view+json" in output.get("data", {})]  # fmt: skip
        found[path.stem] = len(views)
    return found


def test_every_explorer_of_the_notebooks_has_its_page(pages):
    wanted = [f"{name}_{k + 1}.html" for name, count in shown_in_the_notebooks().items() for k in range(count)]
    index, sections = read(pages), re.findall("<section>.*?</section>", (pages / "index.html").read_text(encoding="utf-8"), re.S)  # fmt: skip
    left = {re.search("<span>(.*?)</span>", section)[1] for section in sections if "is not installed" in section}
    assert left <= {"15_from_here_to_pytorch"}
    assert [link for link in wanted if link.rsplit("_", 1)[0] not in left] == index.links and len(index.links) >= 20
    assert {path.name for path in pages.iterdir()} == {"index.html", *index.links}
    assert index.labels and all(index.labels) and "\\" not in "".join(index.texts["section"])


def test_every_page_has_a_sentence_and_a_link_of_its_own(pages):
    cards = re.findall('<a href="(.*?)">(.*?)</a><p>(.*?)</p>', (pages / "index.html").read_text(encoding="utf-8"))
    bare = [file for file, _, asks in cards if len(re.sub("<[^>]*>", "", asks).split()) < 5]
    assert len(cards) >= 20 and bare == []
    assert len({text for _, text, _ in cards}) == len({asks for _, _, asks in cards}) == len(cards)


def test_every_link_opens_a_page_that_lives(browser, pages):
    with visited(browser, pages / "index.html", ".bp-gallery") as page:
        titles = page.locator(".bp-gallery a").all_text_contents()
        for place, title in enumerate(titles):
            page.locator(".bp-gallery a").nth(place).click()
            page.wait_for_selector(".bp-page input, .bp-page button", state="attached")
            assert page.title() and title.endswith(page.title()) and page.locator("h1").text_content() == page.title()
            page.go_back()


@pytest.mark.parametrize("width", [400, 760, 1280])
def test_the_index_fits_and_its_stills_are_seen(browser, pages, width):
    with visited(browser, pages / "index.html", ".bp-gallery", viewport={"width": width, "height": 900}) as page:
        assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
        assert page.evaluate("() => [...document.images].every((n) => n.complete && n.naturalWidth > 100)")
        assert page.evaluate("() => [...document.images].every((n) => getComputedStyle(n).objectFit === 'contain' && n.clientWidth >= 300 && n.clientHeight >= 200 && n.clientHeight <= 300)")  # fmt: skip
        assert page.evaluate("() => Math.min(...[...document.querySelectorAll('.bp-gallery *')].filter((n) => !n.closest('math')).map((n) => parseFloat(getComputedStyle(n).fontSize)))") >= 12  # fmt: skip
        page.keyboard.press("Tab")
        assert page.evaluate("() => getComputedStyle(document.activeElement, '::after').outlineStyle") == "solid"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [480, 1280])
def test_axe_finds_nothing(browser, pages, scheme, width):
    with visited(browser, pages / "index.html", ".bp-gallery", color_scheme=scheme, bypass_csp=True, viewport={"width": width, "height": 900}) as page:  # fmt: skip
        assert hurdles(page) == []


def test_make_says_it():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "python -m backproplab.gallery notebooks build/pages" in makefile and '"make pages' in makefile
    assert "build/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
