// The page of a descent: the way down a surface, computed while the start, the rate or the optimizer is changed.

const TICK = 110, FINE = 100, OUTSIDE = 1e4; // milliseconds; places of a rate's slider in a decade, pixels off the map
const RATES = [-4, 0], MOST_RATE = 1000, MOST_STEPS = 1000, NUDGE = 0.02; // decades of the slider; of a map's width, by an arrow key
const RIM = { left: 40, right: 10, top: 8, bottom: 34 }, LOSS = { left: 56, right: 12, top: 12, bottom: 36, height: 176 };
const LENS = { width: 250, height: 150, rim: 22 }, TALL = [0.4, 0.8], OTHERWISE = 0.62; // how tall a map may be for its width, and how tall if it would not be
const RUNS = [["c3", "bp-run0"], ["c2", "bp-run1"]];

const brief = (value) => (Number.isFinite(value) ? written(Number(number(value, 4))) : "not finite");
const pair = (values) => `(${values.map(brief).join(", ")})`;
const between = (value, low, high) => Math.min(Math.max(value, low), high);

/** The live page in `host`. `bridge.moved(state, numbers)` hears of it at rest. */
export class Page extends Live {
  constructor(host, sheet, state, bridge = {}) { super(host, sheet, state, bridge, "bp-descent"); }

  dispose() {
    super.dispose();
    clearTimeout(this.timer);
  }

  // --- the parts of the page ---

  compose() {
    const { words, surfaces, rules } = this.sheet;
    this.surfaces = new Map(surfaces.map((entry) => [entry.name, new Surface(entry, words)]));
    this.rules = new Map(rules.map((rule) => [rule.name, rule]));
    this.outcomes = RUNS.map(([color]) => html("div", { class: `bp-outcome ${color}` }));
    this.theories = RUNS.map(() => html("div", { class: "bp-theory" }));
    this.root.append(this.composeHead(), ...this.composeRuns(), this.composeSteps(),
      html("div", { class: "bp-says" }, html("div", { role: "status" }, ...this.outcomes.flatMap((node, i) => [node, this.theories[i]])), this.message));
    this.figure = html("figure", { class: "bp-map" });
    this.lines = html("div", { class: "bp-lines" });
    this.losses = html("figure", { class: "bp-losses" });
    this.lens = html("div", { class: "bp-lens" });
    this.table = html("table", {});
    this.cards = RUNS.map(([color]) => html("div", { class: `bp-card ${color}` }));
    const titled = (text, ...parts) => html("section", {}, html("div", { class: "bp-caption" }, text), ...parts);
    this.lossTitle = html("div", { class: "bp-caption" });
    this.root.append(html("div", { class: "bp-columns" },
      html("div", { class: "bp-left" }, this.lines, this.figure, html("div", { class: "bp-tip" }, words.drag)),
      html("div", { class: "bp-right" }, html("section", {}, this.lossTitle, this.losses), titled(words.lens, this.lens), titled(words.numbers, this.table)),
      html("div", { class: "bp-written" }, titled(words.formulas, ...this.cards))));
    this.listen(this.figure, "pointerdown", (event) => this.press(event));
    this.listen(this.figure, "pointermove", (event) => { if (this.dragging) this.drag(event); });
    for (const end of ["pointerup", "pointercancel"]) this.listen(this.figure, end, () => { this.dragging = false; });
    this.listen(this.figure, "click", (event) => { if (event.pointerType === "touch") this.drag(event); });
    for (const event of ["pointerdown", "pointermove"]) this.listen(this.losses, event, (happened) => { if (happened.buttons & 1) this.go({ step: this.stepAt(happened) }); });
    this.watch(this.figure);
  }

  composeHead() {
    const { words } = this.sheet;
    this.surface = this.choice(words.surface, [...this.surfaces.keys()], (name) => this.go({ surface: name, start: this.surfaces.get(name).start, step: 0 }));
    this.starts = [0, 1].map((i) => html("label", { class: "bp-start" }, html("span", {}), this.numeric("", () => this.state.start[i], (value) => this.go({ start: this.state.start.map((old, k) => (k === i ? value : old)) }))));
    const reset = this.button(words.reset, () => { this.pause(); this.go(this.first); }, "bp-reset");
    return html("div", { class: "bp-head" }, html("label", {}, `${words.surface} `, this.surface), html("span", {}, words.start), ...this.starts, reset, this.verdict);
  }

  /** The row of each of the two runs, and their momentum. */
  composeRuns() {
    const { words } = this.sheet, names = [...this.rules.keys()];
    this.choices = [this.choice(words.optimizer, names, (name) => this.go({ optimizer: name })), this.choice(words.against, ["", ...names], (name) => this.go({ against: name || null }))];
    this.choices[1].options[0].textContent = words.nobody;
    this.rates = ["rate", "against_rate"].map((name) => {
      const range = this.slider(words[name], [RATES[0] * FINE, RATES[1] * FINE, 1], (place) => this.go({ [name]: Number(number(10 ** (place / FINE), 3)) }));
      return html("label", { class: "bp-rate" }, html("span", { class: "bp-letter", "aria-hidden": "true" }, "α"), range, this.numeric(words[name], () => this.state[name], (value) => this.go({ [name]: value })));
    });
    const range = this.slider(words.momentum, [0, 0.99, 0.01], (momentum) => this.go({ momentum }));
    this.beta = html("label", { class: "bp-rate" }, html("span", { class: "bp-letter", "aria-hidden": "true" }, "μ"), range, this.numeric(words.momentum, () => this.state.momentum, (momentum) => this.go({ momentum })));
    return this.runRows = this.choices.map((choice, i) => html("div", { class: "bp-head bp-run" }, this.swatch(i), html("label", {}, `${i ? words.against : words.optimizer} `, choice), this.rates[i]));
  }

  composeSteps() {
    const { words } = this.sheet;
    const button = (name, act) => {
      const node = control("button", { type: "button", "aria-label": words[name], title: words[name] }, icon(ICONS[name]));
      this.listen(node, "click", () => { this.pause(); act(); });
      return node;
    };
    this.run = this.button(words.play, () => (this.playing ? this.pause() : this.play()), "bp-play");
    this.slide = this.slider(words.step, [0, 0, 1], (step) => { this.pause(); this.go({ step }); });
    this.where = html("output", { class: "bp-where" });
    const buttons = [button("first", () => this.go({ step: 0 })), button("back", () => this.go({ step: Math.max(0, this.at - 1) })), this.run, button("next", () => this.go({ step: Math.min(this.last, this.at + 1) })), button("last", () => this.go({ step: this.last }))];
    return html("div", { class: "bp-head" }, html("span", { class: "bp-steps" }, ...buttons), this.slide, this.where, html("label", { class: "bp-count" }, `${words.steps} `, this.numeric(words.steps, () => this.state.steps, (steps) => this.go({ steps, step: Math.min(this.state.step, steps) }))));
  }

  /** A choice among names; what plays stops. */
  choice(label, names, act) { return this.select(label, names.map((name) => [name, name]), (name) => { this.pause(); act(name); }); }

  /** A field for a number of a quantity. */
  numeric(name, show, go) {
    const { words } = this.sheet;
    return this.field(name && `${name}, ${words.typed}`, show, (value, text) => {
      if (!Number.isFinite(value)) throw new Refusal(`${words.notnumber}; ${words.found} ${text}`);
      go(value);
    });
  }

  /** A piece of a run's line, as it is drawn on the map. */
  swatch(i) {
    const node = build(["svg", { class: `bp-swatch ${RUNS[i][0]}`, viewBox: "0 0 34 10", width: "34", height: "10" }, ["path", { class: `bp-way ${RUNS[i][1]}`, d: "M2 5H32" }], ["circle", { class: "bp-dot", cx: "17", cy: "5", r: "2.6" }]]);
    node.setAttribute("aria-hidden", "true");
    return node;
  }

  // --- the state ---

  get here() { return this.found.surface; }
  get runs() { return this.found.runs; }
  get at() { return Math.min(this.state.step, this.last); }
  /** The last step that one of the runs has reached. */
  get last() { return Math.max(...this.runs.map(({ rows }) => rows.length - 1)); }

  /** A state of which every part is right, else a refusal. */
  checked(state) {
    const { words } = this.sheet, surface = this.surfaces.get(state.surface), refuse = (key, value) => { throw new Refusal(`${words[key]}; ${words.found} ${plain(value)}`); };
    for (const rate of [state.rate, state.against_rate]) if (!(rate > 0 && rate <= MOST_RATE)) refuse("notrate", rate);
    if (!(state.momentum >= 0 && state.momentum < 1)) refuse("notmomentum", state.momentum);
    if (!(Number.isInteger(state.steps) && state.steps > 0 && state.steps <= MOST_STEPS)) refuse("notsteps", state.steps);
    surface.ranges.forEach(([low, high], i) => {
      if (!(low <= state.start[i] && state.start[i] <= high)) throw new Refusal(`${filled(words.offmap, { name: surface.moving[i], low: plain(low), high: plain(high) })}; ${words.found} ${plain(state.start[i])}`);
    });
    return state;
  }

  /** The runs that a state asks for; a refusal where the start has no loss. */
  compute(state) {
    const surface = this.surfaces.get(state.surface), { constants, words } = this.sheet;
    const run = (rule, rate) => ({ rule, rate, ...surface.descend(state.start, rule, { ...constants, rate, beta: state.momentum }, state.steps) });
    const runs = [run(state.optimizer, state.rate), ...(state.against ? [run(state.against, state.against_rate)] : [])];
    if (!runs[0].rows.length) throw new Refusal(filled(words.noloss, surface));
    return { surface, runs };
  }

  numbers() {
    const [path, against = null] = this.runs.map(({ rows }) => rows.map(({ point }) => point));
    return { path, against };
  }

  receive(state) { this.pause(); super.receive(state); }

  judge(word) {
    super.judge(word);
    if (!word.rounding) return;
    this.verdict.textContent = this.sheet.words.rounding;
    this.verdict.classList.remove("bp-bad");
  }

  // --- motion ---

  /** A step each tick from where it stands, from the start if it is at the end; at once where motion is unwelcome. */
  play() {
    if (plainly()) { this.go({ step: this.last }); return; }
    this.playing = true;
    if (this.at >= this.last) this.go({ step: 0 });
    const tick = () => {
      if (!this.playing) return;
      if (this.at >= this.last) { this.pause(); return; }
      this.go({ step: this.at + 1 });
      this.timer = setTimeout(tick, TICK);
    };
    this.timer = setTimeout(tick, TICK);
    this.schedule();
  }

  pause() {
    clearTimeout(this.timer);
    if (this.playing) { this.playing = false; this.schedule(); }
  }

  // --- the pointer and the keys ---

  press(event) {
    const onHandle = event.target.closest?.(".bp-handle");
    if (event.button !== 0 || (event.pointerType === "touch" && !onHandle)) return;
    this.figure.setPointerCapture(event.pointerId);
    this.dragging = true;
    this.pause();
    this.drag(event);
    this.handle.focus({ preventScroll: true });
    event.preventDefault();
  }

  drag(event) {
    const box = this.svg.getBoundingClientRect(), { ranges } = this.here, { scale } = this;
    const place = [scale.inverse[0](event.clientX - box.left), scale.inverse[1](event.clientY - box.top)];
    this.go({ start: place.map((value, i) => this.rounded(value, ranges[i])), step: 0 });
  }

  /** A number of a range that is short enough to be read. */
  rounded(value, [low, high]) {
    const digits = Math.max(0, 2 - Math.floor(Math.log10(high - low) - 0.5));
    return between(Number(value.toFixed(Math.min(digits, 100))), low, high);
  }

  key(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way) return;
    event.preventDefault();
    this.pause();
    const wide = this.here.ranges[0][1] - this.here.ranges[0][0], share = NUDGE * (event.shiftKey ? 5 : 1) / 2;
    this.go({ step: 0, start: this.state.start.map((value, i) => { const [low, high] = this.here.ranges[i]; return way[i] ? this.rounded(value + way[i] * share * (high - low), [low, high]) : value; }) });
  }

  stepAt(event) {
    const box = this.losses.getBoundingClientRect(), wide = box.width - LOSS.left - LOSS.right;
    return Math.round(between((event.clientX - box.left - LOSS.left) / wide, 0, 1) * this.last);
  }

  // --- drawing ---

  /** What a surface brings with it: its lines, the names of its numbers. */
  composeSurface() {
    const { math, moving } = this.here;
    this.lines.replaceChildren(...math.lines.map((line) => build(line)));
    this.starts.forEach((label, i) => {
      label.firstChild.replaceChildren(build(math.names[i]), " =");
      label.lastChild.setAttribute("aria-label", `${this.sheet.words.start}, ${moving[i]}`);
    });
  }

  /** The rule of each run in symbols, once with places for the numbers of either coordinate. */
  composeCards() {
    this.cards.forEach((card, i) => {
      const rule = this.runs[i] && this.rules.get(this.runs[i].rule), key = rule && `${rule.name} ${this.state.surface}`;
      card.hidden = !rule;
      if (!rule || card.dataset.key === key) return;
      card.dataset.key = key;
      const rows = rule.lines.flatMap(([symbols, ...both]) => [html("div", { class: "bp-symbols" }, build(symbols)), html("div", { class: "bp-values" }, ...both.map((numbers, k) => html("div", { class: "bp-value", "data-coordinate": String(k) }, html("span", { class: "bp-of" }, build(this.here.math.names[k]), ": "), build(numbers))))]);
      card.replaceChildren(html("div", { class: "bp-rulename" }, this.swatch(i), html("strong", {}, rule.name)), html("div", { class: "bp-saysrule" }), html("div", { class: "bp-rule" }, ...rows));
      for (const node of card.querySelectorAll("[data-slot]")) node.place = [Number(node.closest("[data-coordinate]").dataset.coordinate), ...node.dataset.slot.split(":")];
    });
  }

  draw() {
    const anew = this.drawn !== this.here;
    this.drawn = this.here;
    if (anew) this.composeSurface();
    this.composeCards();
    this.resize(anew);
    this.drawWays();
    this.drawLens();
    this.drawTable();
    this.drawLosses();
    this.runs.forEach((run, i) => {
      const { seen } = this.row(run), { says } = this.rules.get(run.rule);
      this.cards[i].querySelector(".bp-saysrule").textContent = filled(says, { reach: short(1 / (1 - this.state.momentum)) });
      for (const node of this.cards[i].querySelectorAll("[data-slot]")) {
        const [k, kind, name] = node.place, value = Number(number(seen[k][name], 4));
        node.textContent = kind === "x" ? factor(value) : written(value);
      }
    });
    this.drawWords();
  }

  /** Where a run is at the step that is shown, or where it ended. */
  row({ rows }) { return rows[Math.min(this.at, rows.length - 1)]; }
  update({ seen }) { return seen.map((values) => values.new - values.old); }

  sync() {
    const { state, sheet: { words } } = this;
    this.surface.value = state.surface;
    [state.optimizer, state.against ?? ""].forEach((name, i) => { this.choices[i].value = name; });
    [state.rate, state.against_rate].forEach((rate, i) => {
      const range = this.rates[i].querySelector("input");
      range.value = String(Math.round(Math.log10(rate) * FINE));
      range.setAttribute("aria-valuetext", plain(rate));
    });
    this.rates[1].hidden = !state.against;
    const using = this.runs.findIndex(({ rule }) => this.rules.get(rule).beta), row = this.runRows[Math.max(0, using)];
    this.beta.hidden = using < 0;
    if (this.beta.parentNode !== row) row.append(this.beta);
    this.beta.querySelector("input").value = String(state.momentum);
    this.slide.max = String(this.last); this.slide.value = String(this.at);
    this.slide.setAttribute("aria-valuetext", `${words.step} ${this.at} ${words.of} ${this.last}`);
    this.where.textContent = `${words.step} ${this.at} ${words.of} ${this.last}`;
    this.run.textContent = this.playing ? words.pause : words.play;
  }

  /** Draw the map anew where its width, or the surface, has changed. */
  resize(anew = false) {
    const width = Math.max(240, Math.floor(this.figure.clientWidth));
    if (width === this.width && !anew) return;
    this.width = width;
    const { here } = this, [[left, right], [low, high]] = here.ranges, wide = width - RIM.left - RIM.right;
    const alike = (high - low) / (right - left), share = TALL[0] <= alike && alike <= TALL[1] ? alike : OTHERWISE, tall = Math.round(wide * share);
    const x = (u) => RIM.left + (u - left) / (right - left) * wide, y = (v) => RIM.top + (high - v) / (high - low) * tall;
    this.scale = { x, y, wide, tall, unit: [wide / (right - left), tall / (high - low)], inverse: [(px) => left + (px - RIM.left) / wide * (right - left), (py) => high - (py - RIM.top) / tall * (high - low)] };
    const height = tall + RIM.top + RIM.bottom, inner = ["svg", { x: String(RIM.left), y: String(RIM.top), width: String(wide), height: String(tall), viewBox: `${RIM.left} ${RIM.top} ${wide} ${tall}`, class: "bp-area" }, ...contourLines(this.here.contours, (u, v) => [RIM.left + u * wide, RIM.top + (1 - v) * tall]), ["g", { class: "bp-ways" }]];
    this.svg = build(["svg", { viewBox: `0 0 ${width} ${height}`, width: String(width), height: String(height), class: "bp-plane" },
      ...this.ticks(), inner, ["rect", { class: "bp-frame", x: String(RIM.left), y: String(RIM.top), width: String(wide), height: String(tall) }], ["g", { class: "bp-arrows" }],
      ["g", { class: "bp-handle" }, ["circle", { class: "bp-reach", r: "20" }], ["circle", { class: "bp-ring", r: "9" }], ["circle", { class: "bp-hub", r: "2.5" }]]]);
    this.svg.setAttribute("role", "group"); this.svg.setAttribute("aria-label", this.sheet.words.map);
    this.handle = this.svg.querySelector(".bp-handle");
    for (const [name, value] of [["tabindex", "0"], ["role", "slider"], ["aria-label", this.sheet.words.handle], ["data-lm-suppress-shortcuts", "true"]]) this.handle.setAttribute(name, value);
    this.listen(this.handle, "keydown", (event) => this.key(event));
    this.figure.replaceChildren(this.svg);
  }

  ticks() {
    const { scale, here } = this, found = [], bottom = RIM.top + scale.tall;
    const round = ([low, high], count) => { const raw = (high - low) / count, unit = 10 ** Math.floor(Math.log10(raw)), step = [1, 2, 5, 10].find((m) => m * unit >= raw) * unit; const first = Math.ceil(low / step - 1e-9); return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step); };
    for (const v of round(here.ranges[0], scale.wide / 70)) found.push(["path", { class: "bp-tick", d: `M${scale.x(v).toFixed(1)} ${bottom}v4` }], ["text", { x: scale.x(v).toFixed(1), y: String(bottom + 17), "text-anchor": "middle" }, short(v)]);
    for (const v of round(here.ranges[1], scale.tall / 50)) found.push(["path", { class: "bp-tick", d: `M${RIM.left} ${scale.y(v).toFixed(1)}h-4` }], ["text", { x: String(RIM.left - 7), y: (scale.y(v) + 4).toFixed(1), "text-anchor": "end" }, short(v)]);
    const named = (i, x, y) => { const [, look, ...runs] = here.math.runs[i]; return ["text", { ...look, x: String(x), y: String(y), "text-anchor": "middle", class: "bp-axisname" }, ...runs]; };
    return [...found, named(0, RIM.left + scale.wide - 4, bottom + 31), named(1, 8, RIM.top + 12)];
  }

  /** A place on the map in pixels, bounded so that no line is too long to be drawn. */
  pixel(point) { return [this.scale.x(point[0]), this.scale.y(point[1])].map((c) => between(c, -OUTSIDE, OUTSIDE)); }

  drawWays() {
    if (!this.svg) return;
    const ways = this.runs.flatMap((run, i) => {
      const points = run.rows.map(({ point }) => this.pixel(point)), d = points.map(([x, y], k) => `${k ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
      const spots = (all) => all.map(([x, y]) => `M${x.toFixed(1)} ${y.toFixed(1)}h0`).join("");
      const dots = [["path", { class: "bp-dots", d: spots(points) }], ["path", { class: "bp-holes", d: spots(points.slice(this.at + 1)) }]];
      const [x, y] = points[Math.min(this.at, points.length - 1)];
      return [["g", { class: `${RUNS[i][0]}` }, ["path", { class: `bp-way ${RUNS[i][1]}`, d }], ...dots, ["circle", { class: "bp-now", cx: x.toFixed(1), cy: y.toFixed(1), r: "6" }]]];
    }).reverse();
    this.svg.querySelector(".bp-ways").replaceChildren(...ways.map((way) => build(way, SVG)));
    this.drawArrows();
    const [x, y] = this.pixel(this.state.start), [a, b] = this.state.start, { moving, ranges } = this.here;
    for (const node of this.handle.children) { node.setAttribute("cx", x.toFixed(1)); node.setAttribute("cy", y.toFixed(1)); }
    for (const [name, value] of [["aria-valuemin", ranges[0][0]], ["aria-valuemax", ranges[0][1]], ["aria-valuenow", a], ["aria-valuetext", `${moving[0]} = ${plain(a)}, ${moving[1]} = ${plain(b)}`]]) this.handle.setAttribute(name, String(value));
  }

  /** At the point of the first run: which way is down, with the gradient's length, and the update. */
  drawArrows() {
    const row = this.row(this.runs[0]), group = this.svg.querySelector(".bp-arrows"), [x, y] = this.pixel(row.point), { unit, wide, tall } = this.scale;
    if (!this.here.holds(row.point)) { group.replaceChildren(); return; }
    const down = [-row.g[0] * unit[0], row.g[1] * unit[1]], long = Math.hypot(...down), parts = [], steep = Math.hypot(...row.g);
    if (long > 0 && Number.isFinite(long)) {
      const tip = [x + down[0] / long * 46, y + down[1] / long * 46], left = tip[0] > RIM.left + wide - 90;
      const text = `|g| = ${short(steep, 3)}`, room = 7 * text.length + 6, at = [tip[0] + (left ? -6 - room : 6), between(tip[1] + (down[1] > 0 ? 12 : -8), RIM.top + 14, RIM.top + tall - 6)];
      parts.push(...arrow([x, y], tip, "bp-down"), ["rect", { class: "bp-behind", x: at[0].toFixed(1), y: (at[1] - 13).toFixed(1), width: String(room), height: "18", rx: "4" }], ["text", { class: "bp-steep", x: (at[0] + room / 2).toFixed(1), y: at[1].toFixed(1), "text-anchor": "middle" }, text]);
    }
    const to = this.pixel(row.seen.map((values) => values.new));
    if (Math.hypot(to[0] - x, to[1] - y) > 3) parts.push(...arrow([x, y], this.cut([x, y], to), `bp-update ${RUNS[0][0]}`));
    group.replaceChildren(...parts.map((part) => build(part, SVG)));
  }

  /** The end of an arrow, or where it leaves the map. */
  cut([x, y], [u, v]) {
    const { wide, tall } = this.scale, inside = [[u - x, RIM.left - x, RIM.left + wide - x], [v - y, RIM.top - y, RIM.top + tall - y]];
    const share = Math.min(1, ...inside.map(([d, low, high]) => (d > 0 ? high / d : d < 0 ? low / d : 1)));
    return [x + share * (u - x), y + share * (v - y)];
  }

  // --- the step, magnified ---

  /** The arrows that a step is made of, [words, class, vector in the surface's numbers], the update last. */
  parts(run) {
    const { words } = this.sheet, row = this.row(run), update = this.update(row), down = row.g.map((g) => -run.rate * g);
    if (run.rule === "SGD") return [[words.straight, `bp-update ${RUNS[0][0]}`, update]];
    if (this.rules.get(run.rule).beta) return [[words.downhill, "bp-down", down], [words.carried, "bp-carried c1", update.map((u, i) => u - down[i])], [words.update, `bp-update ${RUNS[0][0]}`, update]];
    const share = Math.hypot(...update) / Math.hypot(...row.g);
    return [[words.direction, "bp-down", row.g.map((g) => (Number.isFinite(share) ? -share * g : 0))], [words.update, `bp-update ${RUNS[0][0]}`, update]];
  }

  drawLens() {
    const parts = this.parts(this.runs[0]), { unit } = this.scale, carried = this.rules.get(this.runs[0].rule).beta;
    const pixels = parts.map(([, , [a, b]]) => [a * unit[0], -b * unit[1]]), ends = [[0, 0], ...pixels];
    const [xs, ys] = [0, 1].map((i) => ends.map((end) => end[i])), spans = [xs, ys].map((all) => Math.max(...all) - Math.min(...all));
    const zoom = Math.min((LENS.width - 2 * LENS.rim) / spans[0], (LENS.height - 2 * LENS.rim) / spans[1]), known = Number.isFinite(zoom) && zoom > 0;
    const place = ([u, v]) => [LENS.width / 2 + zoom * (u - (Math.max(...xs) + Math.min(...xs)) / 2), LENS.height / 2 + zoom * (v - (Math.max(...ys) + Math.min(...ys)) / 2)];
    const drawn = known ? parts.flatMap(([, look], i) => arrow(place([0, 0]), place(pixels[i]), look)) : [];
    // The two parts and the update are a parallelogram: its other sides.
    if (known && carried) for (const [from, to] of [[0, 2], [1, 2]]) drawn.unshift(["path", { class: "bp-side", d: `M${place(pixels[from]).map((c) => c.toFixed(1)).join(" ")}L${place(pixels[to]).map((c) => c.toFixed(1)).join(" ")}` }]);
    const svg = build(["svg", { viewBox: `0 0 ${LENS.width} ${LENS.height}`, width: String(LENS.width), height: String(LENS.height), class: "bp-arrowbox" }, ...drawn, ...(known ? [["circle", { class: `bp-now ${RUNS[0][0]}`, cx: place([0, 0])[0].toFixed(1), cy: place([0, 0])[1].toFixed(1), r: "5" }]] : [])]);
    svg.setAttribute("role", "img"); svg.setAttribute("aria-label", this.sheet.words.lenslabel);
    const legend = parts.map(([text, look, vector]) => html("li", { class: look }, html("span", { class: "bp-key" }), `${text}: ${pair(vector)}`));
    this.lens.replaceChildren(svg, html("ul", {}, ...legend));
  }

  // --- numbers ---

  drawTable() {
    const { words } = this.sheet, { math } = this.here, head = html("tr", {}, html("th", { scope: "col" }, words.quantity), ...[...this.here.moving, this.here.output].map((name, i) => html("th", { scope: "col" }, html("span", { class: "bp-heard" }, name), html("span", { "aria-hidden": "true" }, build(math.names[i])))));
    const groups = this.runs.map((run, i) => {
      const row = this.row(run), k = Math.min(this.at, run.rows.length - 1), cells = (values) => values.map((value) => html("td", {}, value === null ? "" : brief(value)));
      const line = (name, values) => html("tr", {}, html("th", { scope: "row" }, name), ...cells(values));
      const title = html("tr", { class: `bp-runhead ${RUNS[i][0]}` }, html("th", { scope: "rowgroup", colspan: "4" }, this.swatch(i), `${run.rule}, ${words.step} ${k}`));
      return html("tbody", {}, title, line(words.point, [...row.point, row.L]), line(words.gradient, [...row.g, null]), line(words.moves, [...this.update(row), null]));
    });
    this.table.replaceChildren(html("thead", {}, head), ...groups);
  }

  /** The loss of both runs over the steps; the scale is logarithmic where no loss is 0 or below. */
  drawLosses() {
    const all = this.runs.flatMap(({ rows }) => rows.map(({ L }) => L)), logarithmic = Math.min(...all) > 0, { words } = this.sheet;
    const size = logarithmic ? Math.log10 : (v) => v, width = Math.max(240, Math.floor(this.losses.clientWidth)), right = width - LOSS.right, bottom = LOSS.height - LOSS.bottom, tall = bottom - LOSS.top;
    let low = Math.min(...all.map(size)), high = Math.max(...all.map(size));
    if (logarithmic) { low = Math.floor(low + 1e-9); high = Math.max(low + 1, Math.ceil(high - 1e-9)); }
    const span = high - low || 1, last = Math.max(1, this.last), x = (k) => LOSS.left + k / last * (right - LOSS.left), y = (L) => bottom - (size(L) - low) / span * tall;
    const curves = this.runs.map(({ rows }, i) => { const k = Math.min(this.at, rows.length - 1); return ["g", { class: RUNS[i][0] }, ["path", { class: `bp-way ${RUNS[i][1]}`, d: rows.map(({ L }, at) => `${at ? "L" : "M"}${x(at).toFixed(1)} ${y(L).toFixed(1)}`).join("") }], ["circle", { class: "bp-now", cx: x(k).toFixed(1), cy: y(rows[k].L).toFixed(1), r: "5" }]]; }).reverse();
    const every = Math.ceil(span / 5), ups = logarithmic ? Array.from({ length: Math.floor(span / every) + 1 }, (_, i) => low + i * every) : [0, 0.5, 1].map((t) => low + t * span);
    const power = (k) => (k >= -3 && k <= 3 ? short(10 ** k) : `10${[..."" + k].map((c) => RAISED[c]).join("")}`);
    const up = ups.flatMap((v) => { const at = bottom - (v - low) / span * tall; return [["path", { class: "bp-tick bp-across", d: `M${LOSS.left} ${at.toFixed(1)}H${right}` }], ["text", { x: String(LOSS.left - 6), y: (at + 4).toFixed(1), "text-anchor": "end" }, logarithmic ? power(v) : compact(v)]]; });
    const across = [...new Set([0, 0.25, 0.5, 0.75, 1].map((t) => Math.round(t * last)))].map((k) => ["text", { x: x(k).toFixed(1), y: String(bottom + 16), "text-anchor": "middle" }, String(k)]);
    const svg = build(["svg", { viewBox: `0 0 ${width} ${LOSS.height}`, width: String(width), height: String(LOSS.height), class: "bp-plane" }, ...up, ...across, ["text", { x: String(right), y: String(LOSS.height - 3), "text-anchor": "end", class: "bp-axisname" }, words.step], ["path", { class: "bp-axis", d: `M${LOSS.left} ${LOSS.top}V${bottom}H${right}` }], ["path", { class: "bp-cut", d: `M${x(this.at).toFixed(1)} ${LOSS.top}V${bottom}` }], ...curves]);
    svg.setAttribute("role", "img"); svg.setAttribute("aria-label", words.losses);
    this.lossTitle.textContent = filled(words.loss, { output: this.here.output }) + (logarithmic ? words.logarithmic : "");
    this.losses.replaceChildren(svg);
  }

  /** How each run ends, and what theory says of its rate. */
  drawWords() {
    RUNS.forEach((_, i) => {
      const run = this.runs[i];
      this.outcomes[i].hidden = this.theories[i].hidden = !run;
      if (!run) return;
      this.outcomes[i].replaceChildren(this.swatch(i), this.outcome(run));
      this.theories[i].hidden = this.limit(run) === null;
      this.theories[i].textContent = this.theories[i].hidden ? "" : this.theory(run);
    });
  }

  /** What theory says of a run on a quadratic: up to which rate it converges, how quickly, and how quickly at best. */
  theory(run) {
    const { words, limits } = this.sheet, { curvatures } = this.here, [low, high] = curvatures, { rule, rate } = run, limit = this.limit(run);
    const [, formula] = limits.find(([name]) => name === rule), below = filled(words.below, { optimizer: rule, formula, limit: short(limit), curvature: short(high) });
    if (rate >= limit) return `${below}: ${filled(words.breaks, { rate: plain(rate) })}`;
    const factor = Math.max(...curvatures.map((curvature) => remaining(rule, rate * curvature, this.state.momentum))), parts = [`${below}: ${filled(words.holds, { rate: plain(rate) })} ${filled(words.shrinks, { factor: short(factor, 3) })}`];
    const root = Math.sqrt(high / low), beta = ((root - 1) / (root + 1)) ** 2;
    if (rule === "SGD") parts.push(filled(words.best, { factor: short((high - low) / (high + low), 3), rate: short(2 / (high + low), 3) }));
    if (rule === "momentum") parts.push(filled(words.best, { factor: short(Math.sqrt(beta), 3), rate: short(4 / (Math.sqrt(high) + Math.sqrt(low)) ** 2, 3) }), filled(words.bestbeta, { beta: short(beta, 3) }));
    return `${parts.join("")}.`;
  }

  outcome({ rule, rate, rows, stopped }) {
    const { words } = this.sheet, { here } = this, first = rows[0].L, { L } = rows.at(-1), out = rows.findIndex(({ point }) => !here.holds(point));
    const values = { optimizer: rule, output: here.output, rate: plain(rate), loss: brief(L), first: brief(first), count: rows.length - 1 };
    if (stopped) return filled(words.stopped, { ...values, at: rows.length - 1, point: here.moving.map((name, i) => `${name} = ${brief(stopped[i])}`).join(", ") });
    if (out >= 0 && L > first) return filled(words.leaves, { ...values, at: out });
    return filled(words.ends, values);
  }

  /** The largest rate at which a run's optimizer converges; null where no theory says it. */
  limit({ rule }) {
    const { curvatures } = this.here, beta = this.state.momentum;
    if (curvatures === null) return null;
    const curvature = curvatures[1];
    return { SGD: 2 / curvature, momentum: 2 * (1 + beta) / curvature, Nesterov: 2 * (1 + beta) / ((1 + 2 * beta) * curvature) }[rule] ?? null;
  }
}

/** A straight arrow as elements. */
function arrow([x, y], [u, v], look) {
  const long = Math.hypot(u - x, v - y) || 1, [a, b] = [(u - x) / long, (v - y) / long], head = Math.min(9, long);
  const corners = [[u, v], [u - head * a - 0.45 * head * b, v - head * b + 0.45 * head * a], [u - head * a + 0.45 * head * b, v - head * b - 0.45 * head * a]];
  return [["path", { class: `bp-arrow ${look}`, d: `M${x.toFixed(1)} ${y.toFixed(1)}L${(u - head * 0.8 * a).toFixed(1)} ${(v - head * 0.8 * b).toFixed(1)}` }], ["polygon", { class: `bp-arrowhead ${look}`, points: corners.map((corner) => corner.map((c) => c.toFixed(1)).join(",")).join(" ") }]];
}
