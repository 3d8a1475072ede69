// The page of a decision boundary: a small net learns points of the plane while one looks, and every number behind the motion can be asked for.

const REST = 150, BUDGET = 12, AT_ONCE = 50; // milliseconds until the kernel hears, and of steps in a frame; ticks at once where nothing shall move
const MARGIN = { left: 54, top: 8, right: 22, bottom: 26 }, SMALLEST = 240, LARGEST_SIDE = 520, DOT = 4.2, MOST_DOTS = 300;
const KINDS_OF_CLASSES = ["c3", "back", "c1", "c2", "c0", "c5", "c4", "c6"], STRENGTH = 0.62;
const RATES = { from: -4, to: 1, step: 0.05 }; // of the slider, powers of ten
const HEAD = ["w1", "w2", "b", "z", "a"]; // as a table's columns are heard
const RUN = { LEFT: 58, TOP: 12, height: 130 }, LONGEST_RUN = 440;

let count = 0;

/** Round numbers inside an interval, some five of them. */
export function rounds(low, high) {
  const rough = (high - low) / 4, unit = 10 ** Math.floor(Math.log10(rough)), step = [1, 2, 2.5, 5, 10].find((times) => times * unit >= rough * 0.999) * unit, found = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) found.push(Number((k * step).toPrecision(12)) + 0);
  return found;
}

/** The live page in `host`. `bridge.moved(state, numbers)` hears of each rest; without a bridge the page lives alone. */
export class Page {
  constructor(host, sheet, state, bridge = {}) {
    this.sheet = sheet; this.words = sheet.words; this.bridge = bridge; this.id = `bpd${++count}`;
    checkedSheet(sheet, state);
    this.training = new Training(sheet, state);
    this.choices(state);
    this.speed = 20; this.left = 0; this.size = 0; this.seen = true;
    this.grid = corners(...sheet.sides);
    this.abort = new AbortController();
    this.root = html("div", { class: "bp-page bp-boundary" });
    this.compose();
    host.append(this.root);
    this.resizing = new ResizeObserver(() => this.resize());
    this.resizing.observe(this.figure.parentNode);
    this.looking = new IntersectionObserver((entries) => { this.seen = entries.at(-1).isIntersecting; });
    this.looking.observe(this.root);
    this.theme = new MutationObserver(() => this.schedule()); // the field's colours are the theme's
    this.theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
    this.listen(matchMedia("(prefers-color-scheme: dark)"), "change", () => this.schedule());
    this.resize();
    this.draw();
  }

  dispose() {
    this.abort.abort(); this.resizing.disconnect(); this.looking.disconnect(); this.theme.disconnect();
    clearTimeout(this.timer); clearTimeout(this.rest); cancelAnimationFrame(this.frame); cancelAnimationFrame(this.running);
    this.root.remove();
  }

  listen(node, event, act) {
    node.addEventListener(event, (happened) => { try { act(happened); } catch (error) { this.refuse(error); } }, { signal: this.abort.signal });
  }

  get state() { return { rate: this.rate, optimizer: this.optimizer, point: this.point, ...this.training.place() }; }
  choices({ rate, optimizer, point }) { Object.assign(this, { rate, optimizer, point }); if (point !== null || !this.cursor) this.cursor = this.placeOf(point); }
  placeOf(point) { const { sides, points } = this.sheet; return point === null ? sides.map(([low, high]) => (low + high) / 2) : [...points[point]]; }

  // --- the parts of the page ---

  compose() {
    const { words } = this, control = { "data-lm-suppress-shortcuts": "true" };
    const button = (text, act) => { const node = html("button", { type: "button", ...control }, text); this.listen(node, "click", act); return node; };
    const field = (label) => html("input", { type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false", "aria-label": `${label}, ${words.typed}`, ...control });
    const choice = (label, texts, act) => { const node = html("select", { "aria-label": label, ...control }, ...texts.map(([value, text]) => html("option", { value: String(value) }, text))); this.listen(node, "change", () => act(node.value)); return node; };
    const range = (label, look, act) => { const node = html("input", { type: "range", "aria-label": label, ...look, ...control }); this.listen(node, "input", () => act(Number(node.value))); return node; };
    const group = (...nodes) => html("span", { class: "bp-group" }, ...nodes), said = (text) => html("span", { "aria-hidden": "true" }, text);
    this.play = button("", () => this.playOrPause());
    this.step = button(words.step, () => { this.pause(); this.run(this.tick); });
    this.reset = button(words.reset, () => this.restart());
    this.ticks = choice(words.tick, this.sizesOfTick(), (value) => { this.tick = Number(value); });
    this.tick = Number(this.ticks.value);
    this.speeds = range(words.speed, { min: "1", max: "60", step: "1", value: String(this.speed) }, (value) => { this.speed = value; this.sync(); });
    this.pace = html("span", { class: "bp-pace" });
    this.which = choice(words.optimizer, this.sheet.optimizers.map((name) => [name, name]), (value) => this.choose({ optimizer: value }));
    this.rates = range(words.rate, { min: String(RATES.from), max: String(RATES.to), step: String(RATES.step) }, (value) => this.choose({ rate: Number((10 ** value).toPrecision(3)) }));
    this.rateField = this.entered(field(words.rate), (text) => ({ rate: this.typedRate(text) }));
    this.verdict = html("span", { class: "bp-verdict", role: "status" });
    this.message = html("div", { class: "bp-message", role: "alert" });
    this.status = html("div", { class: "bp-status", "aria-live": "polite" });
    const head = html("div", { class: "bp-head" }, group(this.play, this.step, this.reset), group(said(words.tick), this.ticks), group(this.speeds, this.pace), group(said(words.optimizer), this.which), group(said(words.rate), this.rates, this.rateField), this.verdict);
    this.root.append(head, html("div", { class: "bp-says" }, this.status, this.message),
      html("div", { class: "bp-columns" }, this.composeMap(control), html("div", { class: "bp-beside" }, this.composeLosses(), this.composePoint(field)), this.composeTable()));
  }

  /** How many steps a tick may be. */
  sizesOfTick() {
    const { words, training: { batches } } = this;
    if (batches === 1) return [[1, words.onestep], [10, words.ten]];
    return [[1, words.onestep], [batches, filled(words.oneepoch, { count: batches })], [10 * batches, filled(words.more, { count: 10 * batches })]];
  }

  /** What is typed into a field is taken by Enter, or when the field is left. */
  entered(node, read) {
    const enter = () => {
      if (this.typing !== node) return;
      try { this.choose(read(node.value)); } catch (error) { node.setAttribute("aria-invalid", "true"); throw error; }
    };
    this.listen(node, "input", () => { this.typing = node; });
    this.listen(node, "keydown", (event) => { if (event.key === "Enter") enter(); });
    this.listen(node, "blur", () => { try { enter(); } finally { this.typing = null; node.removeAttribute("aria-invalid"); this.sync(); } });
    return node;
  }

  typedRate(text) {
    const rate = typed(text), { least, rate: most } = this.sheet.most;
    if (!(rate >= least && rate <= most)) throw new Refusal(`${this.words.norate} ${text.trim() || this.words.nothing}`);
    return rate;
  }

  typedPoint(text) {
    if (text.trim() === "") return null;
    const point = typed(text);
    if (!(Number.isInteger(point) && point >= 0 && point < this.training.n)) throw new Refusal(filled(this.words.noplace, { most: this.training.n - 1 }));
    return point;
  }

  composeMap(control) {
    const { words, sheet } = this;
    this.canvas = html("canvas", { "aria-hidden": "true" });
    this.small = html("canvas", { width: String(CELLS + 1), height: String(CELLS + 1) });
    this.figure = html("div", { class: "bp-map", tabindex: "0", role: "application", ...control }, this.canvas);
    this.tip = html("div", { class: "bp-tip", "aria-live": "polite" });
    this.shown = html("input", { type: "checkbox", id: `${this.id}-lines`, ...control });
    this.listen(this.shown, "change", () => this.schedule());
    this.gone = html("span", { class: "bp-note" });
    this.listen(this.figure, "pointermove", (event) => this.look(this.under(event)));
    this.listen(this.figure, "pointerleave", () => { if (this.point !== null) this.look(this.placeOf(this.point)); });
    this.listen(this.figure, "click", (event) => { this.look(this.under(event)); this.pick(); });
    this.listen(this.figure, "keydown", (event) => this.key(event));
    this.listen(this.figure, "focus", () => this.look(this.cursor));
    const legend = Array.from({ length: sheet.classes }, (_, k) => html("li", {}, svgOf([["path", { class: `bp-point k${k}`, d: shape(sheet.shapes[k], 8, 8, 5) }]], 16, 16), `${words.class} ${k}`));
    return html("div", { class: "bp-left" }, html("div", { class: "bp-keys" }, html("ul", { class: "bp-legend", "aria-label": words.class }, ...legend), html("label", { for: this.shown.id }, this.shown, ` ${words.lines}`), this.gone),
      this.figure, this.tip, html("p", { class: "bp-note" }, `${sheet.classes === 2 ? words.help2 : words.helpk} ${words.help}`));
  }

  composeLosses() {
    this.losses = html("section", { class: "bp-losses", "aria-label": this.words.losses }, html("div", { class: "bp-caption" }, this.words.losses), html("div", {}));
    return this.losses;
  }

  composePoint(field) {
    const { words, sheet } = this;
    this.pointField = this.entered(field(words.number), (text) => ({ point: this.typedPoint(text) }));
    this.about = html("div", { class: "bp-about" });
    const head = html("div", { class: "bp-head" }, html("span", { class: "bp-caption" }, words.point), html("span", { "aria-hidden": "true" }, "X["), this.pointField, html("span", { "aria-hidden": "true" }, "]"), html("span", { class: "bp-note" }, filled(words.of, { count: sheet.points.length })));
    return html("section", { class: "bp-one", "aria-label": words.point }, head, this.about);
  }

  composeTable() {
    const { words, sheet: { math } } = this, heard = (symbol, name) => { const node = build(symbol); node.setAttribute("aria-hidden", "true"); return [node, html("span", { class: "bp-heard" }, name)]; };
    const head = math.head.map((symbol, i) => html("th", { scope: "col" }, ...heard(symbol, HEAD[i])));
    this.rows = math.units.map((symbol, unit) => {
      const cells = math.head.map(() => html("td", {})), row = html("tr", {}, html("th", { scope: "row" }, ...heard(symbol, `z1_${unit + 1}`)), ...cells);
      this.listen(row, "pointerenter", () => this.light(unit));
      this.listen(row, "pointerleave", () => this.light(null));
      return { row, cells };
    });
    this.place = html("span", {});
    const table = html("table", {}, html("caption", {}, this.place, " ", build(math.line)), html("thead", {}, html("tr", {}, html("th", { scope: "col" }, words.unit), ...head)), html("tbody", {}, ...this.rows.map(({ row }) => row)));
    return html("div", { class: "bp-weights", role: "region", tabindex: "0", "aria-label": words.first }, table);
  }

  // --- choices ---

  /** Something was chosen: rate, optimizer or point. */
  choose(changes) {
    this.message.textContent = "";
    if (changes.optimizer && changes.optimizer !== this.optimizer) this.training.forget();
    this.choices({ ...this.state, ...changes });
    this.typing = null;
    for (const node of [this.rateField, this.pointField]) node.removeAttribute("aria-invalid");
    this.changed();
  }

  changed() {
    this.verdict.textContent = ""; this.told = false;
    this.schedule();
    clearTimeout(this.rest);
    if (this.bridge.moved) this.rest = setTimeout(() => { if (!this.playing && !this.left) this.tell(); }, REST);
  }

  /** At rest the kernel hears where the page stands, and what it has computed there. */
  tell() {
    const gradient = Array.from(this.training.gradient());
    this.told = true;
    try { this.bridge.moved(this.state, { gradient }); } catch { /* a kernel that is gone: the bridge says so when its time is up */ }
  }

  /** What was set in code: a choice, from which a page that plays goes on, or a whole state. */
  receive(state) {
    if (!state.weights) { checkedSheet(this.sheet, { ...this.state, ...state }); this.choose(state); return; }
    checkedSheet(this.sheet, state);
    this.pause(); this.left = 0; this.told = false; this.message.textContent = this.verdict.textContent = "";
    this.training.take(state);
    this.choices(state);
    clearTimeout(this.rest);
    this.schedule();
  }

  /** The kernel's word on what it was told, if the page still stands there. */
  judge({ agrees, worst, error }) {
    const { words } = this;
    if (!this.told) return;
    this.verdict.textContent = error ? `${words.kernelerror}: ${error}` : agrees ? `✓ ${words.agrees}` : `${words.differs} ${worst}`;
    this.verdict.classList.toggle("bp-bad", Boolean(error || !agrees));
  }

  refuse(error) {
    this.message.textContent = `${error instanceof Refusal ? "" : `${error.name}: `}${error.message}. ${this.words.stays}`;
    this.sync();
  }

  // --- steps ---

  playOrPause() {
    if (plainly()) { this.pause(); this.run(AT_ONCE * this.tick); return; }
    if (this.playing) { this.pause(); this.changed(); return; }
    this.playing = true;
    this.run(this.tick);
    this.sync();
  }

  pause() { this.playing = false; clearTimeout(this.timer); this.sync(); }

  restart() {
    this.pause(); this.left = 0; this.message.textContent = "";
    const { start } = this.sheet, nothing = start.map(() => 0);
    this.training.take({ step: 0, taken: 0, weights: start, first: nothing, second: nothing, losses: this.training.losses.slice(0, 1) });
    this.changed();
  }

  /** So many steps, as many in a frame as its time allows. */
  run(steps) {
    this.message.textContent = this.verdict.textContent = ""; this.told = false;
    this.left = steps;
    this.began = performance.now();
    cancelAnimationFrame(this.running);
    this.running = requestAnimationFrame(() => this.go());
  }

  go() {
    const end = performance.now() + BUDGET;
    try {
      while (this.left > 0 && performance.now() < end) { this.advance(); this.left -= 1; }
      if (!plainly() || !this.left) this.draw();
    } catch (error) {
      this.left = 0;
      this.pause();
      this.draw();
      this.refuse(error);
    }
    if (this.left) this.running = requestAnimationFrame(() => this.go());
    else if (this.playing) this.wait();
    else this.changed();
  }

  advance() {
    const { steps } = this.sheet.most;
    if (this.training.step >= steps) throw new Refusal(filled(this.words.full, { most: steps }));
    this.training.advance(this.optimizer, this.rate);
  }

  /** The next tick, at its time, where the page can be seen. */
  wait() {
    const wait = this.seen ? Math.max(0, 1000 / this.speed - (performance.now() - this.began) - 4) : 300;
    this.timer = setTimeout(() => { if (this.seen) this.run(this.tick); else this.wait(); }, wait);
  }

  // --- the map: pointer and keys ---

  get scale() {
    const [[x0, x1], [y0, y1]] = this.sheet.sides, { size } = this;
    return { x: (x) => MARGIN.left + (x - x0) / (x1 - x0) * size, y: (y) => MARGIN.top + (y1 - y) / (y1 - y0) * size };
  }

  under(event) {
    const box = this.canvas.getBoundingClientRect(), part = [(event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height];
    return this.sheet.sides.map(([low, high], axis) => low + Math.min(1, Math.max(0, part[axis])) * (high - low));
  }

  key(event) {
    const [x, y] = this.cursor, [[x0, x1], [y0, y1]] = this.sheet.sides, far = (x1 - x0) / CELLS * (event.shiftKey ? 5 : 1);
    const to = { ArrowLeft: [x - far, y], ArrowRight: [x + far, y], ArrowUp: [x, y + far], ArrowDown: [x, y - far], Home: [x0, y], End: [x1, y], PageUp: [x, y + 8 * far], PageDown: [x, y - 8 * far] }[event.key];
    if (to) this.look([Math.min(x1, Math.max(x0, to[0])), Math.min(y1, Math.max(y0, to[1]))]);
    else if (event.key === "Enter" || event.key === " ") this.pick();
    else if (event.key === "Escape" && this.point !== null) this.choose({ point: null });
    else return;
    event.preventDefault();
  }

  /** The cursor at a place. */
  look(place) { this.cursor = place; this.drawCursor(); }

  /** The point nearest to the cursor is chosen. */
  pick() {
    const [x, y] = this.cursor, far = this.sheet.points.map(([u, v]) => Math.hypot(u - x, v - y));
    this.choose({ point: far.indexOf(Math.min(...far)) });
  }

  light(unit) { this.units?.querySelectorAll("path").forEach((node) => node.classList.toggle("bp-lit", node.dataset.unit === String(unit))); }

  // --- drawing ---

  schedule() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => { try { this.draw(); } catch (error) { this.refuse(error); } });
  }

  /** The map anew where its width has changed: axes and points stand until the next time. */
  resize() {
    this.resizeLosses();
    const size = Math.round(Math.max(SMALLEST, Math.min(LARGEST_SIDE, this.figure.parentNode.clientWidth - MARGIN.left - MARGIN.right)));
    if (size === this.size) return;
    this.size = size;
    const { sheet, scale } = this, [[x0, x1], [y0, y1]] = sheet.sides, wide = size + MARGIN.left + MARGIN.right, high = size + MARGIN.top + MARGIN.bottom;
    this.canvas.width = this.canvas.height = size;
    Object.assign(this.canvas.style, { left: `${MARGIN.left}px`, top: `${MARGIN.top}px`, width: `${size}px`, height: `${size}px` });
    const bottom = MARGIN.top + size, across = rounds(x0, x1).flatMap((x) => [["path", { class: "bp-tick", d: `M${scale.x(x).toFixed(1)} ${bottom}v5` }], ["text", { x: scale.x(x).toFixed(1), y: String(bottom + 18), "text-anchor": "middle" }, short(x)]]);
    const up = rounds(y0, y1).flatMap((y) => [["path", { class: "bp-tick", d: `M${MARGIN.left} ${scale.y(y).toFixed(1)}h-5` }], ["text", { x: String(MARGIN.left - 8), y: (scale.y(y) + 4).toFixed(1), "text-anchor": "end" }, short(y)]]);
    const points = sheet.points.map(([x, y], n) => ["path", { class: `bp-point k${sheet.labels[n]}`, d: shape(sheet.shapes[sheet.labels[n]], scale.x(x), scale.y(y), DOT) }]);
    const svg = svgOf([...across, ...up, ["rect", { class: "bp-rim", x: String(MARGIN.left), y: String(MARGIN.top), width: String(size), height: String(size) }], ["path", { class: "bp-boundary-under" }], ["path", { class: "bp-boundary-line" }], ["g", { class: "bp-units" }], ["g", { class: "bp-points" }, ...points], ["circle", { class: "bp-asked", r: "9" }], ["path", { class: "bp-cross" }]], wide, high);
    this.svg?.remove();
    this.svg = svg; this.figure.append(svg);
    const found = (name) => svg.querySelector(name);
    [this.units, this.ring, this.crosshair] = [".bp-units", ".bp-asked", ".bp-cross"].map(found);
    this.edges = [".bp-boundary-under", ".bp-boundary-line"].map(found);
    this.dots = [...svg.querySelectorAll(".bp-points path")];
    this.figure.style.width = `${wide}px`; this.figure.style.height = `${high}px`;
    this.schedule();
  }

  resizeLosses() {
    const width = Math.round(Math.max(140, Math.min(LONGEST_RUN, this.losses.clientWidth - RUN.LEFT - 14)));
    if (this.room?.width === width) return;
    this.room = { ...RUN, width };
    this.plot = frame(this.room, ["path", { class: "bp-curve" }], ["circle", { class: "bp-dot", r: "4" }]);
    this.plot.setAttribute("role", "img");
    this.plot.style.width = `${RUN.LEFT + width + 14}px`;
    this.losses.lastChild.replaceChildren(this.plot);
    this.drawLosses();
  }

  draw() {
    const { training, words } = this, right = training.right(), percent = number(100 * right / training.n, 4);
    this.drawField();
    this.drawUnits();
    this.dots.forEach((dot, n) => dot.classList.toggle("bp-missed", training.answer(training.pass, n) !== this.sheet.labels[n]));
    const parts = [filled(words.stands, { step: training.step, epoch: Math.floor(training.step / training.batches) }), `L = ${written(training.losses.at(-1))}`, filled(words.right, { count: right, all: training.n, percent })];
    this.status.setAttribute("aria-live", this.playing ? "off" : "polite");
    this.status.replaceChildren(...parts.map((part) => html("span", {}, part)));
    this.drawLosses();
    this.drawPoint();
    this.drawCursor();
    this.sync();
  }

  drawField() {
    const { sheet, training, size } = this, style = getComputedStyle(this.root), net = training.net;
    const pass = net.forward(training.weights, this.grid), colors = ["card", ...KINDS_OF_CLASSES].map((name) => channels(style, `--${name}`));
    this.small.getContext("2d").putImageData(colored(pass, sheet.outputs, colors, STRENGTH), 0, 0);
    const context = this.canvas.getContext("2d"), cell = size / CELLS;
    context.imageSmoothingEnabled = true;
    context.drawImage(this.small, -cell / 2, -cell / 2, size + cell, size + cell); // the corners of the grid are the middles of its pixels
    const at = (u, v) => `${(MARGIN.left + u * cell).toFixed(1)} ${(MARGIN.top + v * cell).toFixed(1)}`;
    const d = borders(pass.Z.at(-1), sheet.outputs).map(([a, b, c, e]) => `M${at(a, b)}L${at(c, e)}`).join("");
    for (const edge of this.edges) edge.setAttribute("d", d);
  }

  /** Where each unit of the first layer has its 0. */
  drawUnits() {
    const { sheet, training, scale } = this, { W, b, units } = training.net.layers[0];
    if (!this.shown.checked) { this.units.replaceChildren(); this.gone.textContent = ""; return; }
    const lines = Array.from({ length: units }, (_, j) => crossing([training.weights[W + 2 * j], training.weights[W + 2 * j + 1], training.weights[b + j]], ...sheet.sides));
    const lost = lines.filter((ends) => ends === null).length;
    this.gone.textContent = lost ? filled(this.words.lost, { count: lost }) : "";
    this.units.replaceChildren(...lines.flatMap((ends, j) => {
      if (!ends) return [];
      const [[x, y], [u, v]] = ends.map(([x, y]) => [scale.x(x), scale.y(y)]), along = 0.04 + 0.06 * (j % 3);
      const line = build(["path", { class: "bp-unit", d: `M${x.toFixed(1)} ${y.toFixed(1)}L${u.toFixed(1)} ${v.toFixed(1)}` }], SVG);
      line.dataset.unit = String(j);
      return [line, build(["text", { class: "bp-unitname", x: (x + along * (u - x)).toFixed(1), y: (y + along * (v - y) + 4).toFixed(1), "text-anchor": "middle" }, String(j + 1)], SVG)];
    }));
  }

  /** What the net says at the cursor, and the first layer's numbers there. */
  drawCursor() {
    const { sheet, training, cursor: [x, y], words, scale } = this, net = training.net, pass = net.forward(training.weights, Float64Array.of(x, y)), A = pass.A.at(-1), k = training.answer(pass, 0);
    const said = sheet.outputs === 1 ? filled(words.one, { p: short(A[0]) }) : Array.from(A, (p, j) => filled(words.each, { k: j, p: short(p) })).join(", ");
    this.tip.setAttribute("aria-live", this.playing ? "off" : "polite");
    this.tip.textContent = `x = ${short(x)}, y = ${short(y)}: ${said}; ${filled(words.wins, { k })}`;
    this.figure.setAttribute("aria-label", `${words.map}: ${this.tip.textContent}`);
    const [u, v] = [scale.x(x), scale.y(y)].map((at) => at.toFixed(1));
    this.crosshair.setAttribute("d", `M${u - 7} ${v}h14M${u} ${v - 7}v14`);
    this.place.textContent = filled(words.table, { x: written(x), y: written(y) });
    const { W, b } = net.layers[0];
    this.rows.forEach(({ cells }, j) => [training.weights[W + 2 * j], training.weights[W + 2 * j + 1], training.weights[b + j], pass.Z[0][j], pass.A[0][j]].forEach((value, i) => { const text = written(value); if (cells[i].textContent !== text) cells[i].textContent = text; }));
  }

  drawLosses() {
    const { losses } = this.training, { width, height } = this.room, last = losses.length - 1, every = Math.ceil(losses.length / MOST_DOTS), high = losses.reduce((most, loss) => Math.max(most, loss), 0) || 1;
    const place = (i) => [width * (last ? i / last : 0), height * (1 - losses[i] / high)].map((at) => at.toFixed(1));
    const kept = Array.from({ length: Math.ceil(losses.length / every) }, (_, i) => i * every);
    if (kept.at(-1) !== last) kept.push(last);
    const [path, dot] = this.plot.querySelectorAll(".bp-curve, .bp-dot"), [x, y] = place(last);
    path.setAttribute("d", "M" + kept.map((i) => place(i).join(" ")).join("L"));
    dot.setAttribute("cx", x); dot.setAttribute("cy", y);
    ticks(this.plot, this.room, last ? [[0, "0"], [width, String(last)]] : [[0, "0"]], [[0, short(high)], [height / 2, short(high / 2)], [height, "0"]]);
    this.plot.setAttribute("aria-label", `${this.words.losses}: ${number(losses[0])} … ${number(losses[last])}`);
  }

  /** The chosen point: its loss, its gradient by layer, its share of the whole. */
  drawPoint() {
    const { sheet, training, words, point, scale } = this;
    this.ring.style.display = point === null ? "none" : "";
    if (point === null) { this.about.replaceChildren(html("p", { class: "bp-note" }, words.none)); return; }
    const [x, y] = sheet.points[point], { loss, outputs, layers } = training.about(point);
    this.ring.setAttribute("cx", scale.x(x).toFixed(1)); this.ring.setAttribute("cy", scale.y(y).toFixed(1));
    const answer = sheet.outputs === 1 ? filled(words.one, { p: written(outputs[0]) }) : outputs.map((p, k) => filled(words.each, { k, p: short(p) })).join(", ");
    const head = html("div", {}, `${filled(words.about, { x: written(x), y: written(y), k: sheet.labels[point] })}; ${words.said} ${answer}; ${words.own} `, html("strong", {}, written(loss)));
    const table = html("table", {}, html("thead", {}, html("tr", {}, ...["", words.norm, words.whole].map((text) => (text ? html("th", { scope: "col" }, text) : html("td", {}))))), html("tbody", {}, ...layers.map(({ norm, whole }, l) => html("tr", {}, html("th", { scope: "row" }, filled(words.layer, { layer: l + 1 })), html("td", {}, written(norm)), html("td", {}, written(whole))))));
    const share = bars(layers.map(({ pull }, l) => [filled(words.layer, { layer: l + 1 }), pull, ""]));
    this.about.replaceChildren(head, table, html("div", { class: "bp-caption" }, words.share), share, html("p", { class: "bp-note" }, filled(sheet.reduction === "mean" ? words.pulls : words.pullssum, { n: training.n, l2: sheet.l2 ? words.withl2 : "" })));
  }

  /** Bring the controls to the state; what is being typed is left alone. */
  sync() {
    const { words } = this, set = (node, text) => { if (this.typing !== node && node.value !== text) node.value = text; };
    const text = plainly() ? words.many : this.playing ? words.pause : words.play;
    if (this.play.textContent !== text) this.play.textContent = text;
    this.pace.textContent = `${this.speed} ${words.speed}`;
    this.which.value = this.optimizer;
    set(this.rates, String(Math.round(Math.log10(this.rate) / RATES.step) * RATES.step)); this.rates.setAttribute("aria-valuetext", number(this.rate));
    set(this.rateField, number(this.rate, 12)); set(this.pointField, this.point === null ? "" : String(this.point));
  }
}

/** A point's shape around (x, y): a disc, or the corners of the sheet. */
function shape(corners, x, y, r) {
  if (!corners) return `M${(x - r).toFixed(1)} ${y.toFixed(1)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
  return `M${corners.map(([u, v]) => `${(x + r * u).toFixed(1)} ${(y + r * v).toFixed(1)}`).join("L")}Z`;
}

/** A drawing that only shows: what it says stands in words beside it. */
function svgOf(elements, width, height) {
  const svg = build(["svg", { viewBox: `0 0 ${width} ${height}`, width: String(width), height: String(height) }, ...elements]);
  svg.setAttribute("aria-hidden", "true");
  return svg;
}

/** Refuses a sheet or a state whose numbers do not fit each other. */
function checkedSheet(sheet, state) {
  const fits = (holds) => { if (!holds) throw new Refusal("the sheet and the state do not fit each other"); }, finite = (row) => Array.isArray(row) && row.every(Number.isFinite);
  const { points, labels, sizes, activations, outputs, classes, batch, sides, most, start } = sheet, whole = (value, least, top) => Number.isInteger(value) && value >= least && value <= top;
  fits(finite(sizes) && sizes[0] === 2 && sizes.at(-1) === outputs && activations.length === sizes.length - 1 && activations.every((name) => name === "softmax" || OPERATIONS.has(`${name}'`)));
  const parameters = sizes.slice(1).reduce((sum, units, l) => sum + units * (sizes[l] + 1), 0);
  fits(points.length && points.every((point) => finite(point) && point.length === 2) && labels.length === points.length && labels.every((label) => whole(label, 0, classes - 1)) && whole(batch, 1, points.length));
  fits(sides.length === 2 && sides.every((side) => finite(side) && side.length === 2 && side[0] < side[1]) && finite(start) && start.length === parameters && classes <= KINDS_OF_CLASSES.length);
  fits(whole(state.step, 0, most.steps) && whole(state.taken, 0, state.step) && finite(state.losses) && state.losses.length === state.step + 1 && sheet.optimizers.includes(state.optimizer));
  fits(Number.isFinite(state.rate) && state.rate >= most.least && state.rate <= most.rate && (state.point === null || whole(state.point, 0, points.length - 1)));
  for (const row of [state.weights, state.first, state.second]) fits(finite(row) && row.length === parameters);
}
