"""A real JupyterLab in headless Chromium: run a notebook, move a slider by keyboard, step back, and see what the test computed."""

import json
import math
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest

ROOT = pathlib.Path(__file__).parent.parent
ARTIFACTS = ROOT / "tests" / "artifacts"
TOKEN = "only-for-this-test"
KERNEL = {"name": "python3", "language": "python", "display_name": "Python 3"}
IDLE = """(() => { const page = window.jupyterapp?.shell?.currentWidget, session = page?.sessionContext;
  return Boolean(page?.context?.isReady && session?.isReady && session.session?.kernel?.status === "idle"); })()"""

pytestmark = pytest.mark.filterwarnings("ignore")


NEURON = """import backproplab as bp
neuron = bp.Graph(z="w*x + b", a="sigmoid(z)", L="(y - a)**2 / 2")
explorer = bp.explore(neuron, x=1.5, w=-0.4, b=0.2, y=1.0, wrt="w")
explorer.set(w=-4.0)
explorer"""


@pytest.fixture
def lab(tmp_path):
    """JupyterLab on a copy of the notebooks and a small one of the test's own, token on; its address."""
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    small = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(NEURON)], metadata={"kernelspec": KERNEL})
    nbformat.write(small, tmp_path / "notebooks" / "neuron.ipynb")
    settings = tmp_path / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps({"fetchNews": "false"}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", f"--port={port}", f"--IdentityProvider.token={TOKEN}",
        "--LabApp.expose_app_in_browser=True", f"--LabApp.user_settings_dir={tmp_path / 'settings'}", f"--ServerApp.root_dir={tmp_path}",
    ]  # fmt: skip
    with open(tmp_path / "lab.log", "wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{port}"
            _until(lambda: urllib.request.urlopen(f"{address}/api?token={TOKEN}", timeout=5).close() is None)
            yield address
        finally:
            server.terminate()
            server.wait(30)


def _until(done, seconds=60):
    deadline = time.monotonic() + seconds
    while True:
        try:
            if done():
                return
        except OSError:
            pass
        assert time.monotonic() < deadline, "JupyterLab did not start"
        time.sleep(0.3)


def opened(browser, lab, notebook):
    """A notebook, opened and run to its end."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(60_000)
    page.goto(f"{lab}/lab/tree/notebooks/{notebook}?reset&token={TOKEN}")
    page.wait_for_function(IDLE)
    page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_selector(".bp-page", state="attached")
    page.wait_for_function(IDLE)
    page.locator(".bp-head").first.scroll_into_view_if_needed()
    return page


@pytest.fixture
def page(browser, lab):
    """A notebook with one neuron, opened and run to its end."""
    page = opened(browser, lab, "neuron.ipynb")
    yield page
    page.close()


def by_hand(w, x=1.5, b=0.2, y=1.0):
    """The test's own neuron."""
    a = 1 / (1 + math.exp(-(w * x + b)))
    return {"a": a, "da/dz": a * (1 - a), "dL/dw": (a - y) * a * (1 - a) * x}


def slot(page, name):
    """What stands in a slot of the first explorer's picture or chain."""
    return page.locator(".bp-page").first.locator(f'[data-slot="{name}"]').first.text_content().replace("−", "-")


def wait_for(page, name, text):
    page.wait_for_function(
        "([slot, text]) => document.querySelector(`.bp-page [data-slot=\"${slot}\"]`)?.textContent.replace('−', '-') === text",
        arg=[name, text],
        timeout=20_000,
    )


def test_a_learner_moves_a_slider_and_steps_back(page):
    ARTIFACTS.mkdir(exist_ok=True)
    first = page.locator(".bp-page").first
    slider, field = first.locator('input[type="range"]').first, first.locator('input[type="text"]').first
    slider.scroll_into_view_if_needed()
    cells = page.evaluate("window.jupyterapp.shell.currentWidget.model.cells.length")
    wait_for(page, "v:w", "-4")  # the notebook's last word
    field.fill("0.5")
    field.press("Enter")
    wait_for(page, "t:a:z", f"{by_hand(0.5)['da/dz']:.4g}")
    slider.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expected = by_hand(0.7)
    wait_for(page, "t:a:z", f"{expected['da/dz']:.4g}")
    assert slot(page, "p:0") == f"{expected['dL/dw']:.6g}" and slot(page, "g:w") == f"{expected['dL/dw']:.2g}"
    assert field.input_value() == "0.7"
    page.wait_for_function("document.querySelector('.bp-verdict').textContent.includes('NumPy agrees')")
    page.screenshot(path=ARTIFACTS / "slider_moved.png")

    first.locator("button[aria-label='one step back']").focus()
    page.keyboard.press("Enter")
    wait_for(page, "p:0", "?")
    assert slot(page, "t:a:z") == f"{expected['da/dz']:.4g}" and slot(page, "f:z:w") == "?"
    page.screenshot(path=ARTIFACTS / "one_step_back.png")

    field.fill("1")
    field.press("Enter")
    wait_for(page, "t:a:z", f"{by_hand(1)['da/dz']:.4g}")
    assert page.evaluate("window.jupyterapp.shell.currentWidget.model.cells.length") == cells


def test_without_its_kernel_the_page_lives_on(page):
    page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.shutdown()")
    field = page.locator(".bp-page").first.locator('input[type="text"]').first
    field.fill("1")
    field.press("Enter")
    wait_for(page, "t:a:z", f"{by_hand(1)['da/dz']:.4g}")
    page.wait_for_function("document.querySelector('.bp-verdict').textContent.includes('does not answer')")
