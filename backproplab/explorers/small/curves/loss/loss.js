// The page of losses: pairs of an output and a loss side by side, the slope of each as a product of two factors.

const HEIGHTS = [150, 120], MOST_RATE = 2, MOST_STEPS = 200, TICK = 60; // pixels; milliseconds
const LOOKS = ["c3", "c2", "c0", "c6"]; // of the pairs
const FACTORS = ["c4", "c1"], RULER = { height: 74, lanes: [12, 28, 44], base: 56, side: 12, decades: 4 }, LANES = ["|dL/da|", "|da/dz|", "|dL/dz|"], NAMED = 60; // of dL/da and da/dz; pixels

/** What a pair gives at z, computed by the programs of the sheet. */
class Pair {
  constructor(entry, words, i) {
    Object.assign(this, entry);
    this.color = LOOKS[i % LOOKS.length];
    this.computation = new Computation({ ...entry, passes: [], data: [], carried: [], words });
  }

  /** {a, L, by_a, by_z, slope}; the slope of a fused loss comes from z itself, and dL/da is what is left of it. */
  at(z, y) {
    const { trace, terms } = this.computation.run({ z, y }), term = (of, wrt) => terms[this.computation.edges.findIndex((edge) => edge[0] === of && edge[1] === wrt)];
    const by_z = term("a", "z"), slope = this.fused ? term("L", "z") : term("L", "a") * by_z;
    return { a: trace.get("a"), L: trace.get("L"), by_a: this.fused ? slope / by_z : term("L", "a"), by_z, slope };
  }
}

/** The live page in `host`. `bridge.moved(state, numbers)` hears of it at rest. */
export class Page extends OverZ {
  constructor(host, sheet, state, bridge = {}) { super(host, sheet, state, bridge, "bp-loss"); }

  dispose() { this.pause(); super.dispose(); }

  compose() {
    const { words, pairs } = this.sheet;
    this.pairs = new Map(pairs.map((entry, i) => [entry.name, new Pair(entry, words, i)]));
    this.columns = new Map();
    const target = (y) => this.button(filled(words.target, { y }), () => this.go({ y }));
    this.run = this.button(words.play, () => (this.playing ? this.pause() : this.play()), "bp-play");
    this.grid = html("div", { class: "bp-pairs" });
    this.root.append(
      html("div", { class: "bp-head" }, this.setterOfZ(), this.setter("y", () => [0, 1], 0.01), html("span", { class: "bp-steps" }, target(0), target(1)), this.reset(), this.verdict),
      html("div", { class: "bp-head" }, html("span", {}, words.descent), this.setter("rate", () => [0, MOST_RATE], 0.05), this.setter("steps", () => [0, MOST_STEPS], 1), this.run),
      this.boxes(words.pairs, [...this.pairs.keys()], (name) => [this.swatch(this.pairs.get(name).color), this.pairs.get(name).title], (checked) => this.go({ pairs: checked })),
      html("div", { class: "bp-says" }, this.message), this.grid, html("div", { class: "bp-tip" }, words.drag));
  }

  /** The column of a pair, made when it is first shown. */
  column(name) {
    if (this.columns.has(name)) return this.columns.get(name);
    const { words, symbols } = this.sheet, pair = this.pairs.get(name), { math, title } = pair;
    const planes = new Planes(this, HEIGHTS, [words.loss, words.slope], filled(words.planes, { pair: title }), filled(words.handle, { pair: title }));
    const values = [0, 1, 2].map(() => html("span", { class: "bp-number" }));
    const factors = values.map((value, i) => html("div", { class: `bp-factor ${FACTORS[i] ?? "bp-whole"}` }, build(symbols[i]), build(math.factors[i]), value));
    const product = html("div", { class: "bp-product" }, ...factors.map((node, i) => html("span", { class: "bp-together" }, ...(i ? [html("span", { class: "bp-sign" }, i === 1 ? "·" : "=")] : []), node)));
    const column = { planes, values, ruler: html("div", { class: "bp-ruler" }), says: html("div", { class: "bp-sentence" }), end: html("div", { class: "bp-end" }) };
    column.node = html("section", { class: `bp-pair ${pair.color}`, "aria-label": title },
      html("div", { class: "bp-who" }, this.swatch(pair.color), html("strong", {}, title)), html("div", { class: "bp-lines" }, ...math.lines.map((line) => build(line))),
      planes.figure, html("div", {}, product, column.says), column.ruler, column.end);
    this.columns.set(name, column);
    return column;
  }

  // --- numbers ---

  checked(state) {
    const { words } = this.sheet, { y, rate, steps, pairs } = state, unknown = pairs.find((name) => !this.pairs.has(name)), refuse = (word, value) => { throw new Refusal(`${words[word]}; ${words.found} ${plain(value)}`); };
    if (!(y >= 0 && y <= 1)) refuse("nottarget", y);
    if (!(rate >= 0 && rate <= MOST_RATE)) refuse("notrate", rate);
    if (!(Number.isInteger(steps) && steps >= 0 && steps <= MOST_STEPS)) refuse("notsteps", steps);
    if (!pairs.length) throw new Refusal(words.nopair);
    if (unknown !== undefined) throw new Refusal(`${words.unknown} ${unknown}`);
    return super.checked(state);
  }

  compute({ z, y, rate, steps, pairs }) {
    return pairs.map((name) => {
      const pair = this.pairs.get(name), way = [z];
      while (way.length <= steps) way.push(way.at(-1) - rate * pair.at(way.at(-1), y).slope);
      return { pair, found: pair.at(z, y), way };
    });
  }

  numbers() { return Object.fromEntries(this.found.map(({ pair, found: { a, L, by_a, by_z, slope }, way }) => [pair.name, [a, L, by_a, by_z, slope, way.at(-1)]])); }

  /** Whether the output is far from the target and the slope small all the same. */
  crawls({ a, slope }) { const { far, flat } = this.sheet.limits; return Math.abs(a - this.state.y) > far && Math.abs(slope) < flat; }

  /** The parts of the axis where a pair crawls. */
  crawling(pair) {
    const { scan } = this.sheet.limits, found = [];
    let open = null;
    for (let k = 0; k <= scan; k++) {
      const z = this.limit * (2 * k / scan - 1);
      if (!this.crawls(pair.at(z, this.state.y))) open = null;
      else if (open) open[1] = z;
      else found.push(open = [z, z]);
    }
    return found;
  }

  /** Where the planes of a pair end: its losses on a scale of their own, the slopes on one for all pairs. */
  windows(pair) {
    const { nice, steep } = this.sheet.limits, most = Math.max(...[-1, 1].map((side) => pair.at(side * this.limit, this.state.y).L)), unit = 10 ** Math.floor(Math.log10(most));
    const high = nice.map((m) => m * unit).find((m) => m >= most * (1 - 1e-9)), slope = steep.find((rung) => this.found.every(({ found }) => Math.abs(found.slope) <= rung));
    return [[-high / 20, high], [-slope, slope]];
  }

  // --- motion ---

  /** A step each tick; at once where motion is unwelcome. */
  play() {
    if (plainly()) { this.go({ steps: MOST_STEPS }); return; }
    this.playing = true;
    this.go({ steps: this.state.steps >= MOST_STEPS ? 0 : this.state.steps });
    const tick = () => {
      if (!this.playing) return;
      if (this.state.steps >= MOST_STEPS) { this.pause(); return; }
      this.go({ steps: this.state.steps + 1 });
      this.timer = setTimeout(tick, TICK);
    };
    this.timer = setTimeout(tick, TICK);
  }

  pause() {
    clearTimeout(this.timer);
    if (this.playing) { this.playing = false; this.schedule(); }
  }

  receive(state) { this.pause(); super.receive(state); }

  // --- drawing ---

  draw() {
    const shown = this.found.map(({ pair }) => this.column(pair.name).node);
    if (shown.some((node, i) => node !== this.grid.children[i]) || shown.length !== this.grid.children.length) this.grid.replaceChildren(...shown);
    this.found.forEach((each) => this.drawPair(each));
  }

  drawPair({ pair, found, way }) {
    const { words } = this.sheet, { z } = this.state, column = this.column(pair.name), end = pair.at(way.at(-1), this.state.y);
    column.planes.draw(this.limit, this.windows(pair), found.L, (planes) => this.parts(planes, pair, found, way));
    [found.by_a, found.by_z, found.slope].forEach((value, i) => { column.values[i].textContent = i === 1 ? factor(Number(number(value, 4))) : brief(value); });
    column.says.textContent = this.says(pair, found);
    column.end.textContent = tied(filled(way.length > 1 ? words.ends : words.starts, { steps: way.length - 1, rate: plain(this.state.rate), z: brief(way.at(-1)), a: brief(end.a), loss: brief(end.L) }));
    column.ruler.replaceChildren(this.ruler(found, column.planes.width));
    column.node.classList.toggle("bp-crawls", this.crawls(found));
  }

  parts(planes, pair, found, way) {
    const { z, y } = this.state, look = { class: `bp-line bp-first ${pair.color}` }, shades = this.crawling(pair), { color } = pair;
    const inside = ["L", "slope"].map((what, i) => [...shades.map((ends) => planes.shade(i, ...ends)), planes.curve(i, (at) => pair.at(at, y)[what], look)]);
    inside[0].push(planes.tangent(z, found.L, found.slope, "bp-tangent"));
    const dots = way.slice(1).filter((at) => Math.abs(at) <= this.limit).map((at) => planes.disc(0, at, pair.at(at, y).L, `bp-disc bp-small ${color}`, 2.6)), end = way.at(-1);
    const last = way.length > 1 && Math.abs(end) <= this.limit ? [planes.disc(0, end, pair.at(end, y).L, `bp-full bp-last ${color}`, 5)] : [];
    const labels = shades.map((ends) => ends.map((at) => planes.x(at))).filter(([from, to]) => to - from > 50).map(([from, to]) => ["text", { class: "bp-label", x: ((from + to) / 2).toFixed(1), y: String(planes.tops[1] + 16), "text-anchor": "middle" }, this.sheet.words.crawls]);
    return [inside, [...labels, ...dots, ...last, planes.stem(z, found.slope, `bp-stem ${color}`), planes.disc(1, z, found.slope, `bp-disc bp-now ${color}`, 6)]];
  }

  /** The two factors as arrows on a scale of powers of ten, one behind the other; they end at the slope. */
  ruler({ by_a, by_z, slope }, width) {
    const { words } = this.sheet, sizes = this.found.flatMap(({ found }) => [found.by_a, found.by_z, found.slope]).map((value) => Math.abs(Math.log10(Math.abs(value)))).filter(Number.isFinite);
    const far = Math.max(RULER.decades, 2 * Math.ceil(Math.max(0, ...sizes) / 2)), x = (size) => RULER.side + (size / far + 1) / 2 * (width - 2 * RULER.side), known = by_a !== 0 && by_z !== 0;
    const power = (k) => (k === 0 ? "1" : `10${[...String(k)].map((c) => RAISED[c]).join("")}`), parts = [["path", { class: "bp-axis", d: `M${x(-far)} ${RULER.base}H${x(far)}` }]];
    for (const k of [-far, -far / 2, 0, far / 2, far]) parts.push(["path", { class: k ? "bp-tick bp-across" : "bp-tick", d: `M${x(k).toFixed(1)} 4V${RULER.base + 4}` }], ["text", { x: x(k).toFixed(1), y: String(RULER.height - 2), "text-anchor": Math.abs(k) === far ? (k < 0 ? "start" : "end") : "middle" }, power(k)]);
    if (known) {
      const [one, other] = [by_a, by_z].map((value) => Math.log10(Math.abs(value))), stops = [x(0), x(one), x(one + other)], ends = [[stops[0], stops[1]], [stops[1], stops[2]], [stops[2], stops[2]]];
      for (const i of [0, 1]) parts.push(...arrow(...ends[i], RULER.lanes[i], FACTORS[i]), ["path", { class: "bp-cut", d: `M${stops[i + 1].toFixed(1)} ${RULER.lanes[i]}V${RULER.lanes[i + 1]}` }]);
      parts.push(["circle", { class: "bp-disc bp-now bp-whole", cx: stops[2].toFixed(1), cy: String(RULER.lanes[2]), r: "5" }]);
      ends.forEach((pair, i) => {
        const right = Math.max(...pair) + NAMED < width, at = right ? Math.max(...pair) + 9 : Math.min(...pair) - 9;
        parts.push(["text", { class: `bp-label bp-laned ${FACTORS[i] ?? "bp-whole"}`, x: at.toFixed(1), y: String(RULER.lanes[i] + 4), "text-anchor": right ? "start" : "end" }, LANES[i]]);
      });
    } else parts.push(["text", { x: String(width / 2), y: "30", "text-anchor": "middle" }, words["nothing to show"]]);
    const svg = build(["svg", { viewBox: `0 0 ${width} ${RULER.height}`, width: String(width), height: String(RULER.height), class: "bp-plane" }, ...parts]);
    svg.setAttribute("role", "img"); svg.setAttribute("aria-label", `${words.ruler} dL/da = ${brief(by_a)}, da/dz = ${brief(by_z)}, dL/dz = ${brief(slope)}`);
    return svg;
  }

  /** What the two factors do at z, in words. */
  says(pair, found) {
    const { words } = this.sheet, gap = found.a - this.state.y, values = { gap: brief(gap), slope: brief(found.slope), by_a: brief(found.by_a), by_z: brief(found.by_z) };
    const which = pair.identity ? "identity" : Math.abs(gap) < 0.05 ? "near" : pair.fused ? "fused" : this.crawls(found) ? "stuck" : "between";
    return tied(filled(words[which], values));
  }

  sync() {
    super.sync();
    for (const [name, box] of this.checks) box.checked = this.state.pairs.includes(name);
    this.run.textContent = this.playing ? this.sheet.words.pause : this.sheet.words.play;
  }
}

/** A level arrow as elements. */
function arrow(from, to, y, color) {
  const way = Math.sign(to - from), head = Math.min(8, Math.abs(to - from));
  return [["path", { class: `bp-arrow ${color}`, d: `M${from.toFixed(1)} ${y}H${(to - way * head * 0.7).toFixed(1)}` }], ["polygon", { class: `bp-full ${color}`, points: `${to.toFixed(1)},${y} ${(to - way * head).toFixed(1)},${y - 4} ${(to - way * head).toFixed(1)},${y + 4}` }]];
}
