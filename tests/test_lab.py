"""A real JupyterLab in headless Chromium: run a notebook, move a slider by keyboard, step back, and see what the test computed."""

import json
import math
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).parent.parent
ARTIFACTS = ROOT / "tests" / "artifacts"
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))), None
)
TOKEN = "only-for-this-test"
IDLE = """(() => { const page = window.jupyterapp?.shell?.currentWidget, session = page?.sessionContext;
  return Boolean(page?.context?.isReady && session?.isReady && session.session?.kernel?.status === "idle"); })()"""

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def lab(tmp_path):
    """JupyterLab on a copy of the notebooks, token on; its address."""
    if BROWSER is None:
        if os.environ.get("BACKPROPLAB_BROWSER") == "required":
            pytest.fail("no Chromium or Chrome was found, but BACKPROPLAB_BROWSER=required")
        pytest.skip("no Chromium or Chrome was found: the page was not tested")
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
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


@pytest.fixture
def page(lab):
    """03_one_neuron, opened and run to its end."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox", "--disable-background-networking", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(60_000)
        page.goto(f"{lab}/lab/tree/notebooks/03_one_neuron.ipynb?reset&token={TOKEN}")
        page.wait_for_function(IDLE)
        page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
        page.wait_for_selector(".bp-picture svg", state="attached")
        yield page
        browser.close()


def by_hand(w, x=1.5, b=0.2, y=1.0):
    """The test's own neuron."""
    a = 1 / (1 + math.exp(-(w * x + b)))
    return {"a": a, "da/dz": a * (1 - a), "dL/dw": (a - y) * a * (1 - a) * x}


def shown(page):
    return page.locator(".bp-picture svg").text_content()


def chain(page):
    """The text of the formulas, without the invisible spaces and with ASCII minus signs."""
    return "".join(page.locator(".bp-chain").text_content().split()).replace("−", "-").replace("\u2062", "")


def wait_for_text(page, text):
    page.wait_for_function(
        "text => document.querySelector('.bp-picture svg').textContent.includes(text)", arg=text, timeout=20_000
    )


def test_a_learner_moves_a_slider_and_steps_back(page):
    ARTIFACTS.mkdir(exist_ok=True)
    slider = page.locator(".jupyter-widgets.widget-slider").first.locator(".noUi-handle")
    slider.scroll_into_view_if_needed()
    cells = page.evaluate("window.jupyterapp.shell.currentWidget.model.cells.length")
    field = page.locator(".jupyter-widgets input[type=number]").first
    # The notebook's last word to the widget was w = -4; by keyboard it goes four steps of 0.1 to the right.
    page.wait_for_function("document.querySelector('.jupyter-widgets input[type=number]').value === '-4'")
    page.wait_for_function(IDLE)
    slider.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expected = by_hand(-3.6)
    wait_for_text(page, f"∂a/∂z = {expected['da/dz']:.4g}")
    wait_for_text(page, f"{expected['dL/dw']:.4g}".replace("-", "−"))
    assert f"{expected['dL/dw']:.6g}" in chain(page)
    assert float(field.input_value()) == -3.6
    page.screenshot(path=ARTIFACTS / "slider_moved.png")

    back = page.locator("button[title='one line back']")
    back.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("!document.querySelector('.bp-picture svg').textContent.includes('∂z/∂w')", timeout=20_000)
    assert f"∂a/∂z = {expected['da/dz']:.4g}" in shown(page)
    assert f"{expected['dL/dw']:.6g}" not in chain(page) and "?" in chain(page)
    page.screenshot(path=ARTIFACTS / "one_step_back.png")

    field.fill("3")
    field.press("Enter")
    wait_for_text(page, f"∂a/∂z = {by_hand(3)['da/dz']:.4g}")
    assert page.evaluate("window.jupyterapp.shell.currentWidget.model.cells.length") == cells
