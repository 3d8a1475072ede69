// The page of an activation: its curve with a tangent, its slope below it, and others beside it.

const HEIGHTS = [230, 150], TINY = 1e-9, TRIANGLE = 16, FITS = 104; // pixels; beside a jump; the widest axis with a triangle; pixels for a text
const DASHES = ["14 4", "8 4", "2 3", "10 3 2 3", "5 3", "12 3 2 3 2 3", "1 4", "7 2 2 2"];

/** The live page in `host`. `bridge.moved(state, numbers)` hears of it at rest. */
export class Page extends OverZ {
  constructor(host, sheet, state, bridge = {}) { super(host, sheet, state, bridge, "bp-activation"); }

  compose() {
    const { words, activations } = this.sheet;
    this.rows = new Map(activations.map((row, i) => [row.name, { ...row, color: `c${i % 8}`, dash: DASHES[i % DASHES.length], value: OPERATIONS.get(row.name), slope: OPERATIONS.get(`${row.name}'`) }]));
    const names = [...this.rows.keys()];
    this.choice = this.select(words.name, names.map((name) => [name, name]), (name) => this.choose(name));
    this.status = html("div", { class: "bp-status", role: "status" });
    this.planes = new Planes(this, HEIGHTS, [words.value, words.slope], words.planes, words.handle);
    this.title = html("div", { class: "bp-caption" });
    this.table = html("table", {});
    this.own = html("div", {}); this.others = html("div", { class: "bp-cards" });
    const boxes = this.boxes(words.beside, names, (name) => [this.swatch(this.rows.get(name).color, this.rows.get(name).dash), name], (checked) => this.go({ beside: checked.filter((name) => name !== this.state.name) }));
    this.root.append(
      html("div", { class: "bp-head" }, html("label", {}, `${words.name} `, this.choice), this.setterOfZ(), this.reset(), this.verdict), boxes,
      html("div", { class: "bp-says" }, this.status, this.message),
      html("div", { class: "bp-columns" }, html("div", { class: "bp-left" }, this.planes.figure, html("div", { class: "bp-tip" }, words.drag)),
        html("div", { class: "bp-right" }, html("section", {}, this.title, this.table), html("section", {}, html("div", { class: "bp-caption" }, words.formulas), this.own))), this.others);
  }

  /** Another activation; one that stood beside changes places with it. */
  choose(name) {
    const { beside, name: old } = this.state;
    this.go({ name, beside: [...this.rows.keys()].filter((each) => each !== name && (beside.includes(each) || (each === old && beside.includes(name)))) });
  }

  // --- numbers ---

  compute({ name, z, beside }) {
    const { words } = this.sheet;
    return [name, ...beside].map((each) => {
      const row = this.rows.get(each);
      if (!row) throw new Refusal(`${words.unknown} ${each}`);
      return { row, a: row.value(z), slope: row.slope(z) };
    });
  }

  numbers() { return Object.fromEntries(this.found.map(({ row, a, slope }) => [row.name, [a, slope]])); }

  /** Where the two planes end: the curves up to some height, and the points at z. */
  windows() {
    const [enough, rungs, slopes] = this.sheet.windows, ends = this.found.flatMap(({ row }) => [row.value(-this.limit), row.value(this.limit)]);
    const [below, above] = [-1, 1].map((side) => {
      const most = (values) => Math.max(...values.map((v) => side * v)), need = Math.max(Math.min(most(ends), enough), most(this.found.map(({ a }) => a)));
      return rungs.find((rung) => rung >= need);
    });
    const steep = slopes[Number(this.found.some(({ row }) => row.largest > slopes[0]))];
    return [[-below, above], [-steep / 5, steep]];
  }

  /** Whether z lies where the curve is flat to its end. */
  flat({ saturation: [low, high] }, z) { return (low !== null && z <= low) || (high !== null && z >= high); }

  // --- drawing ---

  draw() {
    const { z } = this.state, [{ a }] = this.found;
    this.planes.draw(this.limit, this.windows(), a, (planes) => this.parts(planes, z));
    this.status.textContent = this.says();
    this.drawTable();
    this.drawCards();
  }

  parts(planes, z) {
    const [{ row, a, slope }] = this.found, [low, high] = row.saturation, shades = [[-Infinity, low], [Infinity, high]].filter(([, end]) => end !== null).map((pair) => pair.sort((u, v) => u - v));
    const inside = [0, 1].map((i) => shades.map((ends) => planes.shade(i, ...ends))), first = row.name;
    for (const found of [...this.found].reverse()) {
      const look = { class: `bp-line ${found.row.color}${found.row.name === first ? " bp-first" : ""}`, "stroke-dasharray": found.row.name === first ? "none" : found.row.dash };
      inside[0].push(planes.curve(0, found.row.value, look));
      const pieces = found.row.kinked ? [[-this.limit, -TINY], [TINY, this.limit]] : [[-this.limit, this.limit]];
      for (const [from, to] of pieces) inside[1].push(planes.curve(1, found.row.slope, look, from, to));
    }
    const corner = row.kinked && z === 0;
    inside[0].push(planes.tangent(z, a, slope, `bp-tangent${corner ? " bp-convention" : ""}`));
    return [inside, [...this.labels(planes, shades), ...this.peak(planes), ...this.jumps(planes), ...this.triangle(planes, z, a, slope), ...this.points(planes, z)]];
  }

  /** What the shade means, where there is room for it. */
  labels(planes, shades) {
    const { words } = this.sheet, [{ row }] = this.found;
    return shades.map((ends) => ends.map((z) => planes.x(between(z, -this.limit, this.limit)))).filter(([from, to]) => to - from > FITS)
      .map(([from, to]) => ["text", { class: "bp-label", x: ((from + to) / 2).toFixed(1), y: String(planes.tops[1] + HEIGHTS[1] - 7), "text-anchor": "middle" }, row.kinked ? words.zero : words.flat]);
  }

  /** The largest slope, as a level in the lower plane. */
  peak(planes) {
    const { words } = this.sheet, [{ row }] = this.found, y = planes.y(1, row.largest);
    const text = row.peak === null ? filled(words.largest, { value: row.most }) : filled(words.peak, { value: row.most, z: short(row.peak) });
    return [["path", { class: "bp-level", d: `M${EDGE.left} ${y.toFixed(1)}H${EDGE.left + planes.wide}` }], ["text", { class: "bp-label bp-ink", x: String(EDGE.left + 6), y: (y - 5).toFixed(1) }, text]];
  }

  /** Where a slope jumps: an empty disc where it ends, a full one at the convention. */
  jumps(planes) {
    return [...this.found].reverse().filter(({ row }) => row.kinked).flatMap(({ row }) => {
      const ends = [-TINY, TINY].map((z) => row.slope(z)), here = row.slope(0);
      return [...ends.filter((end) => end !== here).map((end) => planes.disc(1, 0, end, `bp-empty ${row.color}`, 3.5)), planes.disc(1, 0, here, `bp-full ${row.color}`, 3.5)];
    });
  }

  /** One step to the right along the tangent, and how far that goes up. */
  triangle(planes, z, a, slope) {
    if (this.limit > TRIANGLE) return [];
    const way = z + 1 > this.limit ? -1 : 1, from = planes.at(0, z, a), [x, y] = planes.at(0, z + way, a), top = planes.at(0, z + way, a + way * slope), right = way > 0;
    if (!planes.holds(0, a + way * slope)) return [];
    const below = slope * way >= 0 ? 14 : -6;
    return [["path", { class: "bp-run", d: `M${xy(from)}L${xy([x, y])}` }], ["path", { class: `bp-rise ${this.found[0].row.color}`, d: `M${xy([x, y])}L${xy(top)}` }],
      ["text", { class: "bp-label", x: ((from[0] + x) / 2).toFixed(1), y: (y + below).toFixed(1), "text-anchor": "middle" }, this.sheet.words.run],
      ["text", { class: "bp-label bp-ink", x: (x + (right ? 7 : -7)).toFixed(1), y: ((y + top[1]) / 2 + (Math.abs(y - top[1]) < 12 ? below : 4)).toFixed(1), "text-anchor": right ? "start" : "end" }, brief(Number(number(slope, 3)))]];
  }

  points(planes, z) {
    const [{ row, slope }, ...others] = this.found;
    return [...others.flatMap(({ row: each, a, slope: s }) => [[0, a], [1, s]].filter(([i, value]) => planes.holds(i, value)).map(([i, value]) => planes.disc(i, z, value, `bp-disc ${each.color}`, 4))),
      planes.stem(z, slope, `bp-stem ${row.color}`), planes.disc(1, z, slope, `bp-disc bp-now ${row.color}`, 6)];
  }

  /** What the slope at z means, in words. */
  says() {
    const { words } = this.sheet, { z } = this.state, [{ row, slope }] = this.found, { name } = row;
    if (row.kinked && z === 0) return filled(words.kink, { name, slope: short(slope), left: short(row.slope(-TINY)), right: short(row.slope(TINY)) });
    if (this.flat(row, z)) return filled(slope ? words.saturated : words.dead, { name, slope: brief(slope) });
    if (slope === 0) return filled(words.level, { z: short(z) });
    return filled(words.steep, { slope: short(Math.abs(slope)), way: slope > 0 ? words.up : words.down, z: short(z) });
  }

  drawTable() {
    const { words } = this.sheet;
    this.title.textContent = filled(words.numbers, { z: plain(this.state.z).replace("-", "−") });
    const head = [words.function, words.values, words.slopes, words.most].map((text) => html("th", { scope: "col" }, text));
    const rows = this.found.map(({ row, a, slope }, i) => html("tr", { class: `${row.color}${i ? "" : " bp-first"}` }, html("th", { scope: "row" }, this.swatch(row.color, i ? row.dash : ""), row.name), ...[written(a), written(slope), row.most].map((text) => html("td", {}, text))));
    this.table.replaceChildren(html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...rows));
  }

  /** The formulas of what is drawn, those of the first one beside its planes. */
  drawCards() {
    const key = this.found.map(({ row }) => row.name).join();
    if (this.own.dataset.key === key) return;
    this.own.dataset.key = key;
    const [own, ...others] = this.found.map(({ row }, i) => {
      const { math, says } = row, slope = [build(math.slope), ...(math.short ? [build(math.short), html("span", {}, this.sheet.words.with)] : [])];
      return html("div", { class: `bp-card ${row.color}` }, html("div", { class: "bp-who" }, this.swatch(row.color, i ? row.dash : ""), html("strong", {}, row.name)), html("div", { class: "bp-formula" }, build(math.formula)), html("div", { class: "bp-formula" }, ...slope), html("p", {}, says));
    });
    this.own.replaceChildren(own, ...(others.length === 1 ? others : [])); // a single one stands with the first
    this.others.replaceChildren(...(others.length > 1 ? others : []));
  }

  sync() {
    super.sync();
    this.choice.value = this.state.name;
    for (const [name, box] of this.checks) { box.checked = name === this.state.name || this.state.beside.includes(name); box.disabled = name === this.state.name; }
  }
}
