// The page of vanishing gradients: the kernel computes a net's sizes, one message for a move; a saved page holds a grid of nets.

const PATIENCE = 3000, SWITCHES = ["batch_norm", "residual"];
const NET = ["depth", "width", "activation", "init", "batch_norm", "residual", "seed"];

const pick = (state, names) => Object.fromEntries(names.map((name) => [name, state[name]]));
const alike = (one, other) => NET.every((name) => one[name] === other[name]);

/** The live page in `host`. `bridge.moved(state)` asks the kernel for a net; without it the page goes to the nets that it holds. */
export class Page {
  constructor(host, sheet, state, bridge = {}) {
    this.sheet = sheet; this.bridge = bridge; this.first = state;
    this.abort = new AbortController();
    this.fields = new Map();
    this.root = html("div", { class: "bp-page bp-vanishing" });
    this.pending = this.queued = false;
    this.compose();
    this.take(state);
    host.append(this.root);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.figures);
    this.width = this.measured();
    this.draw();
  }

  dispose() { this.abort.abort(); this.observer.disconnect(); cancelAnimationFrame(this.frame); this.root.remove(); }

  listen(node, event, act) {
    node.addEventListener(event, (happened) => { try { act(happened); } catch (error) { this.refuse(error); } }, { signal: this.abort.signal });
  }

  // --- the parts of the page ---

  compose() {
    const { words, saved } = this.sheet;
    this.verdict = html("span", { class: "bp-verdict", role: "status" });
    this.message = html("div", { class: "bp-message", role: "alert" });
    this.outcome = html("div", { class: "bp-outcome", role: "status" });
    [this.upper, this.lower] = ["bp-upper", "bp-lower"].map((look) => html("figure", { class: look }));
    this.legend = html("div", {});
    this.card = html("section", { class: "bp-card" });
    this.figures = html("div", { class: "bp-left" }, html("div", { class: "bp-caption" }, words.sizes), legend(["deltas", "gradients", "predicted"], words, words.largest), this.upper, html("div", { class: "bp-caption" }, words.factors), this.legend, this.lower, this.composeStep());
    this.root.append(...this.composeHead(), html("div", { class: "bp-says" }, this.outcome, this.message), html("div", { class: "bp-columns" }, this.figures, this.card));
    if (saved) this.root.append(html("p", { class: "bp-note" }, filled(words.saved, { depths: saved.axes.depth.join(", "), activations: saved.axes.activation.join(", "), inits: saved.axes.init.join(", ") })));
    for (const figure of [this.upper, this.lower]) for (const event of ["pointerdown", "pointermove"]) this.listen(figure, event, (happened) => { if (happened.buttons & 1) this.change({ layer: this.layerAt(happened) }); });
  }

  composeHead() {
    const { words, saved, widths, activations, inits, presets, depths: [low, high] } = this.sheet, labelled = (text, ...nodes) => html("label", {}, `${text} `, ...nodes);
    const depths = saved ? saved.axes.depth : Array.from({ length: high - low + 1 }, (_, i) => low + i);
    this.depths = depths;
    this.slide = html("input", { type: "range", min: "0", max: String(depths.length - 1), step: "1", "aria-label": words.depth, "data-lm-suppress-shortcuts": "true" });
    this.listen(this.slide, "input", () => this.change({ depth: depths[this.slide.value] }));
    const depth = this.field("depth", words.depth, (value) => Number.isInteger(value) && value >= low && value <= high, filled(words.notdepth, { low, high }));
    this.selects = { width: this.select("width", widths, Number), activation: this.select("activation", saved ? [...new Set([...saved.axes.activation, this.first.activation])] : activations), init: this.select("init", [...inits, "number"], (name) => (name === "number" ? this.size : name)) };
    this.selects.init.lastChild.textContent = words.number;
    this.size = typeof this.first.init === "number" ? this.first.init : 1;
    const size = this.field("init", words.size, (value) => value >= 0 && value <= 1e100, words.notsize);
    this.switches = SWITCHES.map((name) => { const node = html("input", { type: "checkbox", "data-lm-suppress-shortcuts": "true" }); this.listen(node, "change", () => this.change({ [name]: node.checked })); return node; });
    const again = this.button(words.seed, () => this.change({ seed: this.wanted.seed + 1 })), reset = this.button(words.reset, () => this.change({ ...pick(this.first, NET), layer: this.first.layer }));
    this.seed = html("output", {});
    if (saved) { again.hidden = true; this.selects.width.disabled = true; }
    this.tries = presets.map(([name, changes]) => this.button(name, () => this.change(changes)));
    const row = (...nodes) => html("div", { class: "bp-head" }, ...nodes);
    return [row(html("label", { class: "bp-depth" }, `${words.depth} `, this.slide, depth), labelled(words.width, this.selects.width), labelled(words.activation, this.selects.activation), html("span", { class: "bp-pair" }, labelled(words.init, this.selects.init), size), ...this.switches.map((node, i) => html("label", { class: "bp-switch" }, node, ` ${words[SWITCHES[i]]}`)), again, this.seed, reset, this.verdict),
      row(html("span", {}, words.try), ...this.tries)];
  }

  button(text, act) {
    const node = html("button", { type: "button", "data-lm-suppress-shortcuts": "true" }, text);
    this.listen(node, "click", act);
    return node;
  }

  select(name, choices, read = (value) => value) {
    const node = html("select", { "aria-label": this.sheet.words[name], "data-lm-suppress-shortcuts": "true" }, ...choices.map((choice) => html("option", { value: String(choice) }, String(choice))));
    this.listen(node, "change", () => this.change({ [name]: read(node.value) }));
    return node;
  }

  /** A field in which a number can be typed; it is taken with Enter, or where the field is left. */
  field(name, label, fits, wanted) {
    const { words } = this.sheet, node = html("input", { type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false", "aria-label": `${label}, ${words.typed}`, "data-lm-suppress-shortcuts": "true" });
    const entry = { node, typing: false };
    const enter = () => {
      if (!entry.typing) return;
      const value = typed(node.value);
      if (!fits(value)) { node.setAttribute("aria-invalid", "true"); throw new Refusal(`${wanted}; ${words.found} ${node.value.trim() || words.blank}`); }
      entry.typing = false;
      this.change({ [name]: value });
    };
    this.listen(node, "input", () => { entry.typing = true; });
    this.listen(node, "keydown", (event) => { if (event.key === "Enter") enter(); });
    this.listen(node, "blur", () => { try { enter(); } finally { entry.typing = false; } this.sync(); });
    this.fields.set(name, entry);
    return node;
  }

  composeStep() {
    const { words } = this.sheet;
    this.step = html("input", { type: "range", min: "2", step: "1", "aria-label": words.choose, "data-lm-suppress-shortcuts": "true" });
    this.listen(this.step, "input", () => this.change({ layer: Number(this.step.value) }));
    this.where = html("output", {});
    return html("label", { class: "bp-head bp-step" }, `${words.choose} `, this.step, this.where);
  }

  // --- moves ---

  /** A control was moved: the kernel is asked, or a saved page finds the net that is nearest. */
  change(changes) {
    const wanted = { ...this.wanted, ...changes };
    wanted.layer = Math.min(wanted.layer, wanted.depth);
    this.message.textContent = this.verdict.textContent = "";
    this.wanted = wanted;
    if (alike(wanted, this.state)) this.take({ ...this.state, ...wanted }, true);
    if (!this.sheet.saved) this.ask();
    else if (!alike(wanted, this.state)) this.take(this.held(wanted));
    this.sync();
  }

  /** One move is under way at a time; those made meanwhile go together as the next. */
  ask() {
    if (!this.bridge.moved) return;
    if (this.pending && performance.now() - this.sent < PATIENCE) { this.queued = true; return; }
    this.queued = false; this.pending = true; this.sent = performance.now();
    try { this.turn = this.bridge.moved(this.wanted); } catch { this.pending = false; this.verdict.textContent = this.sheet.words.nokernel; }
  }

  /** The net of a saved page that is nearest to what is asked for; the page says where it is another one. */
  held(wanted) {
    const { sheet: { words, saved: { axes, views } }, first } = this, near = (numbers, value) => numbers.reduce((best, one) => (Math.abs(Math.log((one + 1e-9) / (value + 1e-9))) < Math.abs(Math.log((best + 1e-9) / (value + 1e-9))) ? one : best));
    if (alike(wanted, first)) return { ...first, layer: wanted.layer };
    const nearest = { depth: () => near(axes.depth, wanted.depth), activation: () => axes.activation.at(-1), init: () => near(axes.init.filter(Number.isFinite), wanted.init) };
    const found = { ...wanted, ...Object.fromEntries(Object.entries(axes).map(([name, values]) => [name, values.includes(wanted[name]) ? wanted[name] : nearest[name]()])) };
    const others = Object.keys(axes).filter((name) => found[name] !== wanted[name]), list = (net) => others.map((name) => `${words[name]}: ${net[name]}`).join(", ");
    if (others.length) this.verdict.textContent = filled(words.snapped, { asked: list(wanted), shown: list(found) });
    const place = Object.entries(axes).reduce((index, [name, values]) => index * values.length + values.indexOf(found[name]), 0);
    return { ...found, layer: Math.min(wanted.layer, found.depth), view: views[place] };
  }

  /** Draw a net. What was asked for meanwhile stays asked for. */
  take(state, same = false) {
    this.state = state;
    if (!this.queued && !same) this.wanted = pick(state, [...NET, "layer"]);
    this.sync();
    this.schedule();
  }

  /** A net that the kernel sends: in answer to this page, to another one, or unasked. */
  receive(state, message) {
    if (this.pending && message.turn !== this.turn) return;
    this.message.textContent = "";
    this.take(state);
  }

  /** The kernel's answer to the last move. */
  judge({ error }) {
    this.pending = false;
    this.verdict.textContent = "";
    if (error) {
      this.queued = false;
      this.wanted = pick(this.state, [...NET, "layer"]);
      this.refuse(new Refusal(`${this.sheet.words.kernelerror}: ${error}`));
    } else if (this.queued) this.ask();
  }

  refuse(error) {
    this.message.textContent = `${error instanceof Refusal ? "" : `${error.name}: `}${error.message}. ${this.sheet.words.stays}`;
    this.sync();
  }

  layerAt(event) {
    const box = event.currentTarget.getBoundingClientRect(), { depth } = this.state, share = (event.clientX - box.left - RIM.left) / (this.width - RIM.left - RIM.right);
    return Math.max(2, Math.min(depth, Math.floor(share * depth + 0.5) + 1));
  }

  // --- drawing ---

  schedule() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => { try { this.draw(); } catch (error) { this.refuse(error); } });
  }

  measured() { return Math.max(240, Math.floor(this.upper.clientWidth)); }

  resize() {
    const width = this.measured();
    if (width === this.width) return;
    this.width = width;
    this.schedule();
  }

  /** Bring the controls to what is asked for; what is being typed is left alone. */
  sync() {
    const { wanted, sheet: { words } } = this, numeric = typeof wanted.init === "number";
    if (numeric) this.size = wanted.init;
    const nearest = this.depths.reduce((best, depth, i) => (Math.abs(depth - wanted.depth) < Math.abs(this.depths[best] - wanted.depth) ? i : best), 0);
    this.slide.value = String(nearest); this.slide.setAttribute("aria-valuetext", String(wanted.depth));
    this.selects.width.value = String(wanted.width); this.selects.activation.value = wanted.activation; this.selects.init.value = numeric ? "number" : wanted.init;
    this.switches.forEach((node, i) => { node.checked = wanted[SWITCHES[i]]; });
    this.seed.textContent = filled(words.seeded, wanted);
    this.step.max = String(wanted.depth); this.step.value = String(wanted.layer); this.where.textContent = String(wanted.layer);
    this.fields.get("init").node.hidden = !numeric;
    for (const [name, { node, typing }] of this.fields) {
      if (typing) continue;
      node.value = number(name === "init" ? this.size : wanted[name]);
      node.removeAttribute("aria-invalid");
    }
    this.tries.forEach((node, i) => { const [, changes] = this.sheet.presets[i]; node.setAttribute("aria-pressed", String(Object.keys(changes).every((name) => changes[name] === wanted[name]))); });
  }

  draw() {
    const { state, width, sheet: { words } } = this;
    this.upper.replaceChildren(sizesPlot(width, state, words));
    this.lower.replaceChildren(factorsPlot(width, state, words));
    this.legend.replaceChildren(legend(named(state.view, words).map(([name]) => name), { ...words, ...Object.fromEntries(named(state.view, words)) }));
    this.outcome.replaceChildren(...outcomeOf(state, words));
    this.card.replaceChildren(...cardOf(state, this.sheet));
  }
}
