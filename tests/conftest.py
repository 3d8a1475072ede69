"""What several tests share: the cases, and where a browser is found."""

import os
import random
import shutil

import pytest

import backproplab as bp

# name -> (lines, numbers, gradient of the last line worked out by hand or published, to all its digits)
PUBLISHED = {
    "sum times w": (dict(s="x + y", z="s*w"), dict(x=2, y=1, w=3), dict(x=3, y=3, w=3)),
    "CS231n (x + y) z": (dict(q="x + y", f="q*z"), dict(x=-2, y=5, z=-4), dict(x=-4, y=-4, z=3)),
    "CS231n neuron": (
        dict(dot="w0*x0 + w1*x1 + w2", f="sigmoid(dot)"),
        dict(w0=2, x0=-1, w1=-3, x1=-2, w2=-3),
        dict(
            w0=-0.19661193324148185,
            x0=0.3932238664829637,
            w1=-0.3932238664829637,
            x1=-0.5898357997244456,
            w2=0.19661193324148185,
        ),
    ),
    "Olah e = (a + b)(b + 1)": (dict(c="a + b", d="b + 1", e="c*d"), dict(a=2, b=1), dict(a=2, b=5)),
    "micrograd tanh neuron": (
        dict(n="x1*w1 + x2*w2 + b", o="tanh(n)"),
        dict(x1=2, w1=-3, x2=0, w2=1, b=6.881373587019543),
        dict(x1=-1.5, w1=1.0, x2=0.5, w2=0.0, b=0.5),
    ),
    "used twice": (dict(s="x + y", z="s*x"), dict(x=2, y=1), dict(x=5, y=2)),
}


NEURON = dict(z="w*x + b", a="sigmoid(z)", L="(y - a)**2 / 2")
AT = dict(x=1.5, w=-0.4, b=0.2, y=1.0)


@pytest.fixture
def neuron():
    return bp.Graph(NEURON)


BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))), None
)


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium; without one the test is skipped, or fails where it is required."""
    if BROWSER is None:
        if os.environ.get("BACKPROPLAB_BROWSER") == "required":
            pytest.fail("no Chromium or Chrome was found, but BACKPROPLAB_BROWSER=required")
        pytest.skip("no Chromium or Chrome was found: the page was not tested")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox", "--disable-background-networking", "--disable-gpu"]
        )
        yield browser
        browser.close()


def heap_of(page):
    """The bytes that a page's JavaScript holds, after its garbage is collected."""
    tools = page.context.new_cdp_session(page)
    tools.send("HeapProfiler.collectGarbage")
    used = tools.send("Runtime.getHeapUsage")["usedSize"]
    tools.detach()
    return used


def random_graph(seed):
    """A graph of 3 to 12 random lines over up to 4 inputs, and numbers at which all of them are finite."""
    rng = random.Random(seed)
    names = [f"x{i}" for i in range(rng.randint(1, 4))]
    lines = []
    unary = [
        "sin({})",
        "cos({})",
        "tanh({})",
        "sigmoid({})",
        "softplus({})",
        "gelu({})",
        "silu({})",
        "exp(-{}**2)",
        "log(1 + {}**2)",
        "sqrt({}**2 + 1)",
        "-{}",
        "relu({})",
        "leaky_relu({})",
        "abs({})",
        "identity({})",
    ]
    binary = [
        "{} + {}",
        "{} - {}",
        "{} * {}",
        "{} / (2 + {}**2)",
        "max({}, {})",
        "min({}, {})",
        "logsumexp({}, {})",
        "0.5*{}**3 - {}",
        "(1.5 + sin({}))**{}",
    ]
    for i in range(rng.randint(3, 12)):
        form = rng.choice(unary + binary + binary)
        used = [rng.choice(names[-4:] + names[:2]) for _ in range(form.count("{}"))]
        lines.append((f"h{i}", form.format(*used)))
        names.append(f"h{i}")
    lines.append(("L", f"tanh({names[-1]}) + {names[-2]}*0.25"))
    graph = bp.Graph(lines)
    return graph, {name: rng.uniform(-1.5, 1.5) for name in graph.inputs}
