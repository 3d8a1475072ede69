"""What tests of explorers share: a page without a network that has imported their module, and what is said to it and by it."""

import contextlib

from backproplab.explorers import page as page_module

LOAD = """async source => {
  const url = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
  globalThis.bp = await import(url);
}"""
# A widget's model as the bridge knows it: what the page sends waits in `sent`, and `answer` hands the page what a kernel says.
OPEN = """([sheet, state]) => {
  globalThis.leave?.();
  document.body.replaceChildren();
  const hearing = [], sent = [];
  const model = {get: (name) => ({sheet, state})[name], on: (_, act) => hearing.push(act), off: (_, act) => hearing.splice(hearing.indexOf(act), 1), send: (message) => sent.push(structuredClone(message))};
  globalThis.sent = sent; globalThis.hearing = hearing;
  globalThis.answer = (message) => [...hearing].forEach((act) => act(message));
  globalThis.leave = bp.default.render({model, el: document.body});
}"""
ALONE = """([sheet, state]) => {
  globalThis.leave?.(); globalThis.leave = null;
  globalThis.page?.dispose();
  document.body.replaceChildren();
  globalThis.page = new bp.Page(document.body, sheet, state);
}"""
BOXES = """(selector) => [...document.querySelectorAll(selector)].map((n) => { const b = n.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom, n.textContent]; }).filter((b) => b[2] > b[0])"""
# Use a control and leave the page before any timer can ring: who heard before and hears after, what stands, what is said later.
LEFT = """async (control) => {
  const all = [...document.querySelectorAll("button, input")], node = all.find((one) => one.textContent.toLowerCase() === control || one.type === control), heard = hearing.length;
  if (node.type === "range") { node.stepDown(); node.dispatchEvent(new Event("input", {bubbles: true})); } else node.click();
  leave(); globalThis.leave = null; sent.length = 0;
  const after = [hearing.length, document.body.children.length];
  await new Promise((done) => setTimeout(done, 500));
  return [heard, ...after, sent];
}"""
SIZE = {"width": 1280, "height": 900}


def empty_page(browser, rooms=page_module.GRAPH, looks=page_module.LOOKS, document=None):
    """A page without a network that has imported a module made of these rooms, and what went wrong on it."""
    page, errors = browser.new_page(offline=True, viewport=SIZE), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    if document:
        page.set_content(document)
    page.add_style_tag(content=page_module.style(looks))
    page.evaluate(LOAD, page_module.script(rooms))
    return page, errors


def cleared(empty, width=SIZE["width"], height=SIZE["height"]):
    """That page for one test, which must leave it without an error."""
    page, errors = empty
    errors.clear()
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(reduced_motion="no-preference")
    yield page
    page.evaluate("() => { globalThis.leave?.(); globalThis.leave = null; }")
    assert errors == []


@contextlib.contextmanager
def visited(browser, path, ready=".bp-page", **options):
    """A page of a file, for a visitor who has nothing but files; it must name no host, ask for none, and end without an error."""
    assert "://" not in path.read_text(encoding="utf-8").replace("http://www.w3.org", "")
    context, errors = browser.new_context(**options), []
    context.route(
        lambda url: not url.startswith("file:"), lambda route: (errors.append(route.request.url), route.abort())
    )
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
    page.goto(path.as_uri())
    page.wait_for_selector(ready)
    yield page
    context.close()
    assert errors == []


def hurdles(page):
    """What axe finds on a page that keeps readers out: (rule, the first nodes that break it)."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [(rule["id"], [node["html"][:160] for node in rule["nodes"][:3]]) for rule in found]


def settle(page):
    """Wait until a page has drawn what it was told."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def pause(page, milliseconds):
    """Wait by the page's own clock, on which timers that it started before and that are shorter have rung first."""
    page.evaluate("(time) => new Promise((done) => setTimeout(done, time))", milliseconds)


def answer_of(explorer, message):
    """The one thing that the kernel's side answers to a message of a page."""
    said = []
    explorer.send = said.append
    explorer._heard(None, message, [])
    (answer,) = said
    return answer
