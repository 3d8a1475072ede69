// The two plots: sizes and factors over the layers, in powers of ten.

const RIM = { left: 58, right: 12, zero: 16 }, UPPER = { top: 22, tall: 214, least: 8, room: 0.05 }, LOWER = { top: 8, tall: 156, least: 2, room: 0.25 }, DEAD = { tall: 34, gap: 8 };
// Of each series a color and a shape, the same in plots, legend and table.
const SERIES = {
  deltas: ["c3", "disc"], gradients: ["c2", "square"], predicted: ["bp-inked", "dash"],
  weights: ["c4", "up"], slopes: ["c1", "down"], norm: ["c5", "diamond"], past: ["c0", "cross"], product: ["bp-inked", "dot"], ratio: ["c3", "ring"],
};
const SHAPES = {
  disc: (r) => `m${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`, square: (r) => `m${-r} ${-r}h${2 * r}v${2 * r}h${-2 * r}z`, diamond: (r) => `m0 ${-1.4 * r}l${1.4 * r} ${1.4 * r}l${-1.4 * r} ${1.4 * r}l${-1.4 * r} ${-1.4 * r}z`,
  up: (r) => `m0 ${-1.3 * r}l${1.3 * r} ${2.4 * r}h${-2.6 * r}z`, down: (r) => `m0 ${1.3 * r}l${1.3 * r} ${-2.4 * r}h${-2.6 * r}z`, cross: (r) => `m${-r} ${-r}l${2 * r} ${2 * r}m0 ${-2 * r}l${-2 * r} ${2 * r}`,
  dash: (r) => `m${-2 * r} 0h${4 * r}`, dot: (r) => SHAPES.disc(0.6 * r), ring: (r) => SHAPES.disc(1.25 * r),
};

const power = (k) => (k === 0 ? "1" : k === 1 ? "10" : `10${[...String(k)].map((c) => RAISED[c]).join("")}`);
const brief = (value) => (value === null || value === undefined ? "–" : written(Number(number(value, 3))));
const at = (value) => value.toFixed(1);

/** The marks of a series at some places, as one path. */
const marks = (name, places, r) => ["path", { class: `bp-mark ${SERIES[name][0]} bp-${SERIES[name][1]}`, d: places.map(([x, y]) => `M${at(x)} ${at(y)}${SHAPES[SERIES[name][1]](r)}`).join("") }];

/** A line through places; null interrupts it. */
function line(look, places) {
  let open = false;
  const d = places.map((place) => { const sign = open ? "L" : "M"; open = place !== null; return open ? `${sign}${at(place[0])} ${at(place[1])}` : ""; }).join("");
  return ["path", { class: `bp-line ${look}`, d }];
}

/** A plot over the layers whose height counts powers of ten; it spans `least` of them, or as many as its columns need. */
class Plot {
  constructor(width, depth, frame, columns) {
    const logs = columns.flat().filter((value) => value > 0).map(Math.log10);
    Object.assign(this, frame, { width, depth, left: RIM.left, right: width - RIM.right, zeros: columns.some((column) => column.includes(0)) });
    this.bottom = this.top + this.tall;
    const most = Math.ceil(logs.reduce((a, b) => Math.max(a, b), logs.length ? -Infinity : 0) + this.room), fewest = Math.floor(logs.reduce((a, b) => Math.min(a, b), logs.length ? Infinity : 0) - this.room), missing = Math.max(0, this.least - (most - fewest));
    this.high = most + Math.floor(missing / 2); this.low = fewest - Math.ceil(missing / 2);
    this.r = Math.max(1.8, Math.min(4, (this.right - this.left) / depth / 5));
  }

  x(layer) { return this.left + (layer - 0.5) / this.depth * (this.right - this.left); }
  y(value) { return value === 0 ? this.bottom - 5 : this.top + (this.high - Math.log10(value)) / (this.high - this.low) * (this.tall - (this.zeros ? RIM.zero : 0)); }
  place(column, i, shift = 1) { const value = column[i]; return value === null || value === undefined ? null : [this.x(i + shift), this.y(value)]; }
  places(column, shift = 1) { return column.map((_, i) => this.place(column, i, shift)); }

  /** The axes, a line for each power of ten, thick where a number is 1. */
  axes(words) {
    const every = Math.max(1, Math.ceil((this.high - this.low) / 8)), found = [];
    for (let k = this.low; k <= this.high; k++) {
      if (k % every) continue;
      const y = at(this.y(10 ** Math.max(-307, Math.min(308, k))));
      found.push(["path", { class: k === 0 ? "bp-tick bp-unit" : "bp-tick bp-across", d: `M${this.left} ${y}H${this.right}` }], ["text", { x: String(this.left - 7), y: at(Number(y) + 4), "text-anchor": "end" }, power(k)]);
    }
    if (this.zeros) found.push(["path", { class: "bp-tick bp-across", d: `M${this.left} ${this.bottom - RIM.zero + 4}H${this.right}` }], ["text", { x: String(this.left - 7), y: String(this.bottom - 1), "text-anchor": "end" }, words.zero]);
    return [...found, ["path", { class: "bp-axis", d: `M${this.left} ${this.top}V${this.bottom}H${this.right}` }]];
  }

  /** The numbers of the layers below the axis. */
  layers(name) {
    const every = [1, 2, 5, 10, 20].find((step) => step * (this.right - this.left) / this.depth >= 24) ?? 50;
    const numbers = Array.from({ length: this.depth }, (_, i) => i + 1).filter((layer) => layer === 1 || layer % every === 0);
    return [...numbers.map((layer) => ["text", { x: at(this.x(layer)), y: String(this.bottom + 16), "text-anchor": "middle" }, String(layer)]), ["text", { x: String(this.left - 7), y: String(this.bottom + 16), "text-anchor": "end" }, name]];
  }

  /** The step that is looked at, from a layer to the one below. */
  band(layer) { return ["rect", { class: "bp-band", x: at(this.x(layer - 1)), y: String(this.top), width: at(this.x(layer) - this.x(layer - 1)), height: String(this.tall) }]; }

  /** A part in which there are no numbers, from a layer to a layer, and why. */
  shade(from, to, text) {
    const left = Math.max(this.left, this.x(from - 0.5)), right = Math.min(this.right, this.x(to + 0.5)), middle = Math.max(this.left + 4 * text.length, Math.min(this.right - 4 * text.length, (left + right) / 2));
    return [["rect", { class: "bp-lost", x: at(left), y: String(this.top), width: at(right - left), height: String(this.tall) }], ["text", { class: "bp-told", x: at(middle), y: String(this.top + this.tall / 2), "text-anchor": "middle" }, text]];
  }

  text(x, y, anchor, words, look = "bp-told") { return ["text", { class: look, x: at(x), y: at(y), "text-anchor": anchor }, words]; }

  svg(label, below, ...children) {
    const height = this.bottom + below, node = build(["svg", { viewBox: `0 0 ${this.width} ${height}`, width: String(this.width), height: String(height), class: "bp-plane" }, ...children]);
    node.setAttribute("role", "img"); node.setAttribute("aria-label", label);
    return node;
  }
}

/** The sizes of delta and of the gradients: lines through dots, thin lines up to the largest entries, and delta as the factors have it. */
function sizesPlot(width, state, words) {
  const { view, depth, layer } = state, none = Array(depth).fill(null), { deltas = none, gradients = none } = view;
  const plot = new Plot(width, depth, UPPER, [deltas, gradients]), r = plot.r, parts = [];
  const peaks = (column, peak, shift) => column.map((size, i) => (size && peak?.[i] ? `M${at(plot.x(i + 1) + shift)} ${at(plot.y(size))}V${at(Math.max(plot.top, plot.y(size * peak[i])))}` : "")).join("");
  for (const [name, column, peak] of [["gradients", gradients, view.gradient_peaks], ["deltas", deltas, view.delta_peaks]]) {
    const [color] = SERIES[name], places = plot.places(column);
    parts.push(["path", { class: `bp-peak ${color}`, d: peaks(column, peak, 0) }], line(`${color} bp-of-${name}`, places), marks(name, places.filter(Boolean), r));
  }
  const foreseen = deltas.slice(); // from the last layer down, factor by factor
  for (let i = depth - 2; i >= 0; i--) foreseen[i] = foreseen[i + 1] && view.product?.[i] ? foreseen[i + 1] * view.product[i] : null;
  parts.push(line("bp-foreseen", foreseen.map((value, i) => (value ? [plot.x(i + 1), Math.max(plot.top, Math.min(plot.bottom, plot.y(value)))] : null))));
  if (view.overflow) parts.push(...lost(plot, view, words));
  const y = plot.top - 10, end = plot.right - 4;
  const way = [plot.text(end, y + 4, "end", words.back), ["path", { class: "bp-way", d: `M${at(end - 7 * words.back.length)} ${y}H${at(Math.max(plot.left, end - 7 * words.back.length - 60))}m6 -4l-6 4l6 4` }]];
  return plot.svg(words.sizes_label, 20, plot.band(layer), ...plot.axes(words), ...plot.layers(words.layer), ...way, ...parts);
}

/** Where the numbers leave float64: forward, then nothing has a size; or on the way back, from a layer down. */
function lost(plot, { overflow: [name, layer], outcome }, words) {
  if (outcome === "backward") return plot.shade(1, layer, words.past_float);
  return [...plot.shade(1, plot.depth, words.no_numbers), ...(layer ? [["path", { class: "bp-cut", d: `M${at(plot.x(layer))} ${plot.top}V${plot.bottom}` }], plot.text(Math.min(plot.x(layer), plot.right - 70), plot.top + 16, plot.x(layer) > plot.left + 60 ? "middle" : "start", `${name} ${words.past_float}`)] : [])];
}

/** The factors of each step back, and below them the units that are dead. */
function factorsPlot(width, state, words) {
  const { view, depth, layer } = state, shown = ["product", "ratio", "past", "norm", "slopes", "weights"].filter((name) => view[name]), columns = shown.map((name) => view[name]);
  const plot = new Plot(width, depth, LOWER, [[0.2, 5], ...columns]), r = plot.r, parts = [];
  for (const name of shown) {
    const places = plot.places(view[name], 1.5);
    if (name === "product") parts.push(line("bp-inked bp-of-product", places));
    parts.push(marks(name, places.filter(Boolean), r));
  }
  const told = [plot.text(plot.left + 6, plot.top + 13, "start", words.above), plot.text(plot.left + 6, plot.bottom - 6, "start", words.below)];
  const dead = view.dead ? deadBars(plot, view.dead, state.width, words) : [];
  return plot.svg(words.factors_label, 6 + (view.dead ? DEAD.tall + DEAD.gap : 0), plot.band(layer), ...plot.axes(words), ...parts, ...told, ...dead);
}

/** For each layer a bar as high as the share of its units that are dead. */
function deadBars(plot, dead, units, words) {
  const top = plot.bottom + DEAD.gap, base = top + DEAD.tall, wide = Math.max(2, (plot.right - plot.left) / plot.depth * 0.6);
  const bars = dead.map((count, i) => ["rect", { class: "bp-dead", x: at(plot.x(i + 1) - wide / 2), y: at(base - count / units * DEAD.tall), width: at(wide), height: at(count / units * DEAD.tall) }]);
  return [...bars, ["path", { class: "bp-axis", d: `M${plot.left} ${top}V${base}H${plot.right}` }], ["text", { x: String(plot.left - 7), y: String(top + 10), "text-anchor": "end" }, String(units)], ["text", { x: String(plot.left - 7), y: String(base), "text-anchor": "end" }, words.dead_short]];
}
