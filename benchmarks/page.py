"""How soon a move is painted, in JupyterLab in headless Chromium: the page beside `interact` with inline matplotlib, in one run.

`python benchmarks/page.py`, 40 moves each by keyboard, from the key to the frame after the change. Needs Chromium or Chrome.
"""

import json
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager

import nbformat
from playwright.sync_api import sync_playwright

MOVES, TOKEN = 40, "only-for-this-run"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
IDLE = """(() => { const page = window.jupyterapp?.shell?.currentWidget, session = page?.sessionContext;
  return Boolean(page?.context?.isReady && session?.isReady && session.session?.kernel?.status === "idle"); })()"""
SETUP = """
import backproplab as bp, numpy as np, matplotlib.pyplot as plt
from ipywidgets import interact
neuron, at = bp.Graph(z="w*x + b", a="sigmoid(z)", L="(y - a)**2 / 2"), dict(x=1.5, w=-0.4, b=0.2, y=1.0)
net = bp.Network([2, 3, 2], ["tanh", "sigmoid"], seed=0)
unit = net.graph([0.5, -1.0], [1.0, 0.0])
def plots(graph, name, columns):
    def move(v=0.0):
        trace = graph.forward(**{name: v})
        terms = [t for t in graph.terms(trace)][:columns]
        figure, axes = plt.subplots(1, columns, figsize=(3 * columns, 2.4))
        for ax, term in zip(axes, terms):
            x = np.linspace(-4, 4, 161)
            ax.plot(x, trace[term.of] + term.value * (x - trace[term.wrt]))
            ax.plot(trace[term.wrt], trace[term.of], "o")
            ax.set_title(f"d{term.of}/d{term.wrt} = {term.value:.4g}")
        plt.show()
    return move
"""
CELLS = {
    "neuron, the page": 'bp.explore(neuron, wrt="w", **at)',
    "neuron, interact": 'interact(plots(neuron.with_numbers(**at), "w", 3), v=(-4.0, 4.0, 0.1)); None',
    "[2, 3, 2], the page": 'bp.explore(unit, wrt="W1_2_1")',
    "[2, 3, 2], interact": 'interact(plots(unit, "W1_2_1", 8), v=(-4.0, 4.0, 0.1)); None',
}
WATCH = """([cell, wanted]) => {
  const root = document.querySelectorAll(".jp-CodeCell")[cell], times = [];
  let start = null;
  root.addEventListener("keydown", () => { start = performance.now(); }, true);
  new MutationObserver((changes) => {
    if (start === null || !changes.some((change) => change.target.closest?.(wanted) || [...change.addedNodes].some((node) => node.querySelector?.(wanted) || node.matches?.(wanted)))) return;
    const began = start;
    start = null;
    requestAnimationFrame(() => setTimeout(() => times.push(performance.now() - began)));
  }).observe(root, { subtree: true, childList: true, characterData: true, attributes: true });
  window.times = times;
}"""


def served(folder):
    """JupyterLab on a folder: its process and its address."""
    settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps({"fetchNews": "false"}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", f"--port={port}", f"--IdentityProvider.token={TOKEN}",
        "--LabApp.expose_app_in_browser=True", f"--LabApp.user_settings_dir={folder / 'settings'}", f"--ServerApp.root_dir={folder}",
    ]  # fmt: skip
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    for _ in range(200):
        try:
            urllib.request.urlopen(f"{address}/api?token={TOKEN}", timeout=5).close()
            break
        except OSError:
            time.sleep(0.3)
    return server, address


@contextmanager
def opened(sources):
    """A notebook of these cells, opened in JupyterLab and run to its end: its page."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = pathlib.Path(name)
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "moves.ipynb")
        server, address = served(folder)
        try:
            browser = playwright.chromium.launch(
                executable_path=BROWSER, args=["--no-sandbox", "--disable-background-networking", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            page.set_default_timeout(60_000)
            page.goto(f"{address}/lab/tree/moves.ipynb?reset&token={TOKEN}")
            page.wait_for_function(IDLE)
            page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
            page.wait_for_selector(".bp-page", state="attached")
            page.wait_for_function(IDLE)
            page.wait_for_timeout(1500)
            yield page
            browser.close()
        finally:
            server.terminate()


def moves(page, cell, control, wanted, keys=("ArrowLeft", "ArrowRight")):
    """The milliseconds from key to repaint of each move, the keys in turn."""
    handle = page.locator(".jp-CodeCell").nth(cell).locator(control).first
    handle.scroll_into_view_if_needed()
    page.evaluate(WATCH, [cell, wanted])
    handle.focus()
    for move in range(MOVES + 5):
        page.keyboard.press(keys[move % len(keys)])
        page.wait_for_function("(count) => window.times.length > count", arg=move)
        page.wait_for_timeout(60)
    return page.evaluate("window.times")[5:]


def report(found):
    """The table of what was measured."""
    print("| what | p50, ms | p95, ms |\n|---|---|---|")
    for title, times in found.items():
        print(f"| {title} | {statistics.median(times):.0f} | {statistics.quantiles(times, n=20)[-1]:.0f} |")


def main():
    found = {}
    with opened((SETUP, *CELLS.values())) as page:
        for number, title in enumerate(CELLS, 1):
            mine = "page" in title
            found[title] = moves(
                page, number, 'input[type="range"]' if mine else ".noUi-handle", ".bp-picture" if mine else "img"
            )
    report(found)
    for model in ("neuron", "[2, 3, 2]"):
        ours, theirs = (found[f"{model}, {way}"] for way in ("the page", "interact"))
        fast = statistics.median(theirs) / statistics.median(ours)
        tail = statistics.quantiles(theirs, n=20)[-1] / statistics.quantiles(ours, n=20)[-1]
        print(f"{model}: {fast:.1f} times as fast at p50 (goal 4), {tail:.1f} at p95 (goal 3.5)")


if __name__ == "__main__":
    main()
