// The page of vanishing gradients: the kernel computes a net's sizes, one message for a move; a saved page holds a grid of nets.

const PATIENCE = 3000, SWITCHES = ["batch_norm", "residual"];
const NET = ["depth", "width", "activation", "init", "batch_norm", "residual", "seed"];

const pick = (state, names) => Object.fromEntries(names.map((name) => [name, state[name]]));
const alike = (one, other) => NET.every((name) => one[name] === other[name]);

/** The live page in `host`. `bridge.moved(state)` asks the kernel for a net; without it the page goes to the nets that it holds. */
export class Page extends Live {
  constructor(host, sheet, state, bridge = {}) { super(host, sheet, state, bridge, "bp-vanishing"); }

  // --- the parts of the page ---

  compose() {
    const { words, saved } = this.sheet;
    this.pending = this.queued = false;
    this.outcome = html("div", { class: "bp-outcome", role: "status" });
    [this.upper, this.lower] = ["bp-upper", "bp-lower"].map((look) => html("figure", { class: look }));
    this.legend = html("div", {});
    this.card = html("section", { class: "bp-card" });
    this.figures = html("div", { class: "bp-left" }, html("div", { class: "bp-caption" }, words.sizes), legend(["deltas", "gradients", "predicted"], words, words.largest), this.upper, html("div", { class: "bp-caption" }, words.factors), this.legend, this.lower, this.composeStep());
    this.root.append(...this.composeHead(), html("div", { class: "bp-says" }, this.outcome, this.message), html("div", { class: "bp-columns" }, this.figures, this.card));
    if (saved) this.root.append(html("p", { class: "bp-note" }, filled(words.saved, { depths: saved.axes.depth.join(", "), activations: saved.axes.activation.join(", "), inits: saved.axes.init.join(", ") })));
    for (const figure of [this.upper, this.lower]) for (const event of ["pointerdown", "pointermove"]) this.listen(figure, event, (happened) => { if (happened.buttons & 1) this.change({ layer: this.layerAt(happened) }); });
    this.watch(this.figures);
  }

  composeHead() {
    const { words, saved, widths, activations, inits, presets, depths: [low, high] } = this.sheet, labelled = (text, ...nodes) => html("label", {}, `${text} `, ...nodes);
    const depths = saved ? saved.axes.depth : Array.from({ length: high - low + 1 }, (_, i) => low + i);
    this.depths = depths;
    this.slide = this.slider(words.depth, [0, depths.length - 1, 1], (place) => this.change({ depth: depths[place] }));
    const depth = this.numeric("depth", words.depth, () => this.wanted.depth, (value) => Number.isInteger(value) && value >= low && value <= high, filled(words.notdepth, { low, high }));
    this.selects = { width: this.choice("width", widths, Number), activation: this.choice("activation", saved ? [...new Set([...saved.axes.activation, this.first.activation])] : activations), init: this.choice("init", [...inits, "number"], (name) => (name === "number" ? this.size : name)) };
    this.selects.init.lastChild.textContent = words.number;
    this.size = typeof this.first.init === "number" ? this.first.init : 1;
    this.deviation = this.numeric("init", words.size, () => this.size, (value) => value >= 0 && value <= 1e100, words.notsize);
    this.switches = SWITCHES.map((name) => { const node = control("input", { type: "checkbox" }); this.listen(node, "change", () => this.change({ [name]: node.checked })); return node; });
    const again = this.button(words.seed, () => this.change({ seed: this.wanted.seed + 1 })), reset = this.button(words.reset, () => this.change({ ...pick(this.first, NET), layer: this.first.layer }));
    this.seed = html("output", {});
    if (saved) { again.hidden = true; this.selects.width.disabled = true; }
    this.tries = presets.map(([name, changes]) => this.button(name, () => this.change(changes)));
    const row = (...nodes) => html("div", { class: "bp-head" }, ...nodes);
    return [row(html("label", { class: "bp-depth" }, `${words.depth} `, this.slide, depth), labelled(words.width, this.selects.width), labelled(words.activation, this.selects.activation), html("span", { class: "bp-pair" }, labelled(words.init, this.selects.init), this.deviation), ...this.switches.map((node, i) => html("label", { class: "bp-switch" }, node, ` ${words[SWITCHES[i]]}`)), again, this.seed, reset, this.verdict),
      row(html("span", {}, words.try), ...this.tries)];
  }

  choice(name, choices, read = (value) => value) { return this.select(this.sheet.words[name], choices.map((choice) => [String(choice), String(choice)]), (value) => this.change({ [name]: read(value) })); }

  /** A field for a number that has to fit. */
  numeric(name, label, show, fits, wanted) {
    const { words } = this.sheet;
    return this.field(`${label}, ${words.typed}`, show, (value, text) => {
      if (!fits(value)) throw new Refusal(`${wanted}; ${words.found} ${text}`);
      this.change({ [name]: value });
    });
  }

  composeStep() {
    const { words } = this.sheet;
    this.step = this.slider(words.choose, [2, 2, 1], (layer) => this.change({ layer }));
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
    this.syncAll();
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

  layerAt(event) {
    const box = event.currentTarget.getBoundingClientRect(), { depth } = this.state, share = (event.clientX - box.left - RIM.left) / (this.width - RIM.left - RIM.right);
    return Math.max(2, Math.min(depth, Math.floor(share * depth + 0.5) + 1));
  }

  // --- drawing ---

  measured() { return Math.max(240, Math.floor(this.upper.clientWidth)); }

  /** Bring the controls to what is asked for. */
  sync() {
    const { wanted, sheet: { words } } = this, numeric = typeof wanted.init === "number";
    if (numeric) this.size = wanted.init;
    const nearest = this.depths.reduce((best, depth, i) => (Math.abs(depth - wanted.depth) < Math.abs(this.depths[best] - wanted.depth) ? i : best), 0);
    this.slide.value = String(nearest); this.slide.setAttribute("aria-valuetext", String(wanted.depth));
    this.selects.width.value = String(wanted.width); this.selects.activation.value = wanted.activation; this.selects.init.value = numeric ? "number" : wanted.init;
    this.switches.forEach((node, i) => { node.checked = wanted[SWITCHES[i]]; });
    this.seed.textContent = filled(words.seeded, wanted);
    this.step.max = String(wanted.depth); this.step.value = String(wanted.layer); this.where.textContent = String(wanted.layer);
    this.deviation.hidden = !numeric;
    this.tries.forEach((node, i) => { const [, changes] = this.sheet.presets[i]; node.setAttribute("aria-pressed", String(Object.keys(changes).every((name) => changes[name] === wanted[name]))); });
  }

  draw() {
    const { state, sheet: { words } } = this, width = this.width = this.measured();
    this.upper.replaceChildren(sizesPlot(width, state, words));
    this.lower.replaceChildren(factorsPlot(width, state, words));
    this.legend.replaceChildren(legend(named(state.view, words).map(([name]) => name), { ...words, ...Object.fromEntries(named(state.view, words)) }));
    this.outcome.replaceChildren(...outcomeOf(state, words));
    this.card.replaceChildren(...cardOf(state, this.sheet));
  }
}
