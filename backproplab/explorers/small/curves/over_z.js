// What the pages of curves over z share: slider, field and point for z, two planes with one axis.

const MOST_Z = 100, LEAST_REACH = 8, STEPS = 80, FINE = 800; // the ends of z and of its axis; parts of the axis, by an arrow key and by the pointer
const EDGE = { left: 46, right: 16, top: 26, gap: 44, bottom: 36 }, NARROWEST = 220, OUTSIDE = 1e4, TANGENT = 0.22; // pixels; of the axis, a tangent to each side

const between = (value, low, high) => Math.min(Math.max(value, low), high);
const xy = ([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`;

/** A number with 4 digits, 1.5·10⁻⁷. */
const brief = (value) => written(Number(number(value, 4)));

/** A sentence in which an equation is not broken between two lines. */
const tied = (text) => text.replace(/ ([=−]) /g, "\u00a0$1\u00a0");

/** How far the axis goes to each side of 0: 8, 16, 32, ... */
function axisOf(z) {
  let limit = LEAST_REACH;
  while (limit < Math.abs(z)) limit *= 2;
  return limit;
}

/** Round numbers between two, at most so many and one. */
function ticks([low, high], many) {
  const raw = (high - low) / many, unit = 10 ** Math.floor(Math.log10(raw)), step = [1, 2, 5, 10].map((m) => m * unit).find((m) => m >= raw * (1 - 1e-9));
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step);
}

/** A page of curves over z; a kind of it brings what `Live` asks for. */
class OverZ extends Live {
  constructor(host, sheet, state, bridge, look) {
    super(host, sheet, state, bridge, `bp-live bp-overz ${look}`);
    this.watch(this.root);
  }

  // --- controls ---

  /** A slider and a field for a number of the state; `ends()` are the slider's, `name` is one of the words too. */
  setter(name, ends, step) {
    const { words } = this.sheet, label = words[name];
    const range = this.slider(label, [0, 1, "any"], (value) => this.go({ [name]: Number(number(value, 12)) }));
    const field = this.field(`${label}, ${words.typed}`, () => this.state[name], (value, text) => {
      if (!Number.isFinite(value)) throw new Refusal(`${words.notnumber}; ${words.found} ${text}`);
      this.go({ [name]: value });
    });
    this.listen(range, "pointerdown", () => { this.held = true; });
    for (const end of ["change", "pointerup", "pointercancel"]) this.listen(range, end, () => this.release());
    (this.setters ??= []).push({ name, ends, step, range });
    return html("label", { class: `bp-set bp-set-${name}` }, html("span", { class: "bp-letter" }, label), range, field);
  }

  /** The slider of z, whose ends are those of the axis. */
  setterOfZ() { return this.setter("z", () => [-this.limit, this.limit]); }

  /** A box for each name, checked where it is one of the chosen ones; `show` makes what stands beside it. */
  boxes(label, names, show, act) {
    this.checks = new Map(names.map((name) => [name, control("input", { type: "checkbox" })]));
    const rows = names.map((name) => html("label", { class: "bp-check" }, this.checks.get(name), ...show(name)));
    for (const box of this.checks.values()) this.listen(box, "change", () => act(names.filter((name) => this.checks.get(name).checked)));
    return html("fieldset", { class: "bp-boxes" }, html("legend", {}, label), ...rows);
  }

  reset() { return this.button(this.sheet.words.reset, () => this.go(this.first), "bp-reset"); }

  /** A piece of a curve as it is drawn. */
  swatch(color, dash) {
    const node = build(["svg", { class: `bp-swatch ${color}`, viewBox: "0 0 34 10", width: "34", height: "10" }, ["path", { class: "bp-line", d: "M1 5H33", "stroke-dasharray": dash || "none" }]]);
    node.setAttribute("aria-hidden", "true");
    return node;
  }

  // --- the state ---

  checked(state) {
    const { words } = this.sheet;
    if (!(Math.abs(state.z) <= MOST_Z)) throw new Refusal(`${words.notz}; ${words.found} ${plain(state.z)}`);
    return state;
  }

  take(asked) {
    super.take(asked);
    const { z } = this.state;
    this.limit = this.held ? Math.max(this.limit, axisOf(z)) : axisOf(z); // it does not shrink under the hand
  }

  release() {
    this.held = false;
    this.limit = axisOf(this.state.z);
    this.schedule();
  }

  sync() {
    for (const { name, ends, step, range } of this.setters) {
      const [low, high] = ends();
      for (const [key, value] of [["min", low], ["max", high], ["step", step ?? (high - low) / STEPS / 2]]) range.setAttribute(key, String(value));
      range.value = String(this.state[name]);
      range.setAttribute("aria-valuetext", plain(this.state[name]));
    }
  }
}

/** Two planes, one above the other, over one axis z, in which a point can be dragged along the upper curve. */
class Planes {
  constructor(page, heights, names, label, handle) {
    Object.assign(this, { page, heights, names });
    this.figure = html("figure", { class: "bp-planes" });
    this.svg = build(["svg", { class: "bp-plane" }, ["g", { class: "bp-drawn" }], ["g", { class: "bp-handle" }, ["circle", { class: "bp-reach", r: "18" }], ["circle", { class: "bp-ring", r: "7" }]]]);
    this.svg.setAttribute("role", "group"); this.svg.setAttribute("aria-label", label);
    [this.drawn, this.handle] = this.svg.children;
    for (const [name, value] of [["tabindex", "0"], ["role", "slider"], ["aria-label", handle], ["data-lm-suppress-shortcuts", "true"]]) this.handle.setAttribute(name, value);
    this.figure.append(this.svg);
    page.watch(this.figure);
    page.listen(this.handle, "keydown", (event) => this.key(event));
    page.listen(this.figure, "pointerdown", (event) => this.press(event));
    page.listen(this.figure, "pointermove", (event) => { if (this.dragging) this.drag(event); });
    for (const end of ["pointerup", "pointercancel"]) page.listen(this.figure, end, () => { if (this.dragging) { this.dragging = false; page.release(); } });
  }

  // --- pointer and keys ---

  press(event) {
    if (event.button !== 0) return;
    this.figure.setPointerCapture(event.pointerId);
    this.dragging = this.page.held = true;
    this.drag(event);
    this.handle.focus({ preventScroll: true });
    event.preventDefault();
  }

  drag(event) {
    const { limit } = this, x = event.clientX - this.svg.getBoundingClientRect().left - EDGE.left;
    const unit = 2 * limit / FINE / 2;
    this.page.go({ z: this.tidy(Math.round((x / this.wide * 2 - 1) * limit / unit) * unit) });
  }

  key(event) {
    const { limit } = this, way = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key], z = this.page.state.z;
    const to = { Home: -limit, End: limit }[event.key] ?? (way && z + way * limit / STEPS * (event.shiftKey ? 10 : 1));
    if (to === undefined) return;
    event.preventDefault();
    this.page.go({ z: this.tidy(to) });
  }

  /** A number for z on the axis, short enough to be read. */
  tidy(z) { return Number(between(z, -this.limit, this.limit).toFixed(4)); }

  // --- drawing ---

  /** Draw anew: `windows` are [low, high] of each plane, `parts(planes)` what is in each, `value` the height of the point. */
  draw(limit, windows, value, parts) {
    const width = Math.max(NARROWEST, Math.floor(this.figure.clientWidth)), [upper, lower] = this.heights, { z } = this.page.state;
    Object.assign(this, { limit, windows, width, wide: width - EDGE.left - EDGE.right, tops: [EDGE.top, EDGE.top + upper + EDGE.gap] });
    const height = this.tops[1] + lower + EDGE.bottom, [inside, over] = parts(this);
    for (const [name, size] of [["viewBox", `0 0 ${width} ${height}`], ["width", width], ["height", height]]) this.svg.setAttribute(name, String(size));
    const areas = this.tops.map((top, i) => ["svg", { x: String(EDGE.left), y: String(top), width: String(this.wide), height: String(this.heights[i]), viewBox: `${EDGE.left} ${top} ${this.wide} ${this.heights[i]}`, class: "bp-area" }, ...inside[i]]);
    const cut = ["path", { class: "bp-cut", d: `M${this.x(z).toFixed(1)} ${EDGE.top}V${this.tops[1] + lower}` }];
    this.drawn.replaceChildren(...[cut, ...this.axes(), ...areas, ...over].map((part) => build(part, SVG)));
    const [x, y] = this.at(0, z, value);
    for (const node of this.handle.children) { node.setAttribute("cx", x.toFixed(1)); node.setAttribute("cy", y.toFixed(1)); }
    for (const [name, each] of [["aria-valuemin", -limit], ["aria-valuemax", limit], ["aria-valuenow", z], ["aria-valuetext", `z = ${plain(z)}`]]) this.handle.setAttribute(name, String(each));
  }

  x(z) { return EDGE.left + (z / this.limit + 1) * this.wide / 2; }
  y(i, value) { const [low, high] = this.windows[i]; return between(this.tops[i] + (high - value) / (high - low) * this.heights[i], -OUTSIDE, OUTSIDE); }
  /** The pixel of a point of a plane. */
  at(i, z, value) { return [this.x(z), this.y(i, value)]; }
  /** Whether a value is inside a plane. */
  holds(i, value) { return this.windows[i][0] <= value && value <= this.windows[i][1]; }

  axes() {
    const bottom = this.tops[1] + this.heights[1], found = [];
    const many = this.wide < 400 ? 2 : 4; // to each side of 0
    for (const z of Array.from({ length: 2 * many + 1 }, (_, k) => this.limit * (k / many - 1))) {
      for (const i of [0, 1]) found.push(["path", { class: "bp-tick", d: `M${this.x(z).toFixed(1)} ${this.tops[i] + this.heights[i]}v4` }], ["text", { x: this.x(z).toFixed(1), y: String(this.tops[i] + this.heights[i] + 16), "text-anchor": "middle", class: "bp-label" }, short(z)]);
    }
    this.windows.forEach((window, i) => {
      const right = EDGE.left + this.wide;
      for (const value of ticks(window, between(this.heights[i] / 42, 2, 5))) found.push(["path", { class: value ? "bp-tick bp-across" : "bp-tick", d: `M${EDGE.left} ${this.y(i, value).toFixed(1)}H${right}` }], ["text", { x: String(EDGE.left - 7), y: (this.y(i, value) + 4).toFixed(1), "text-anchor": "end" }, short(value)]);
      found.push(["path", { class: "bp-axis", d: `M${EDGE.left} ${this.tops[i]}V${this.tops[i] + this.heights[i]}H${right}` }], ["text", { class: "bp-axisname", x: "6", y: String(this.tops[i] - 9) }, this.names[i]]);
    });
    return [...found, ["text", { class: "bp-axisname", x: String(EDGE.left + this.wide), y: String(bottom + 31), "text-anchor": "end" }, "z"]];
  }

  /** The curve of a function in a plane, from one number for z to another. */
  curve(i, line, attributes, start = -this.limit, end = this.limit) {
    const many = 2 * Math.ceil(this.wide / 4), points = Array.from({ length: many + 1 }, (_, k) => { const z = start + (end - start) * k / many; return xy(this.at(i, z, line(z))); });
    return ["path", { ...attributes, d: `M${points.join("L")}` }];
  }

  /** The tangent of the upper curve. */
  tangent(z, value, slope, look) {
    const long = TANGENT * 2 * this.limit * Math.min(1, 3 / Math.max(Math.abs(slope), 1));
    return ["path", { class: look, d: `M${xy(this.at(0, z - long, value - long * slope))}L${xy(this.at(0, z + long, value + long * slope))}` }];
  }

  /** The height of a number in the lower plane, from 0. */
  stem(z, slope, look) { return ["path", { class: look, d: `M${xy(this.at(1, z, 0))}L${xy(this.at(1, z, slope))}` }]; }

  /** A shaded part of a plane. */
  shade(i, low, high) {
    const [from, to] = [low, high].map((z) => this.x(between(z, -this.limit, this.limit)));
    return ["rect", { class: "bp-shade", x: from.toFixed(1), y: String(this.tops[i]), width: (to - from).toFixed(1), height: String(this.heights[i]) }];
  }

  disc(i, z, value, look, r) { const [x, y] = this.at(i, z, value); return ["circle", { class: look, cx: x.toFixed(1), cy: y.toFixed(1), r: String(r) }]; }
}
