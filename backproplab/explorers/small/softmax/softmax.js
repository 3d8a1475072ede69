// The page of a softmax: logits in, probabilities, the Jacobian cell by cell, and the cross entropy's gradient by two ways.

const REACH = 6, FINE = 0.05, STEEPEST = 0.25; // of a slider, its step; the largest entry of any Jacobian of a softmax

/** The probabilities, the Jacobian, the loss and its gradient, by the forms of functions/values.py. */
export function numbersOf({ logits, label }) {
  const top = Math.max(...logits), at = logits.indexOf(top), powers = logits.map((z) => Math.exp(z - top)), whole = powers.reduce((sum, e) => sum + e, 0);
  const p = powers.map((e) => e / whole), others = powers.reduce((sum, e, k) => (k === at ? sum : sum + e), 0), y = p.map((_, k) => Number(k === label));
  const jacobian = p.map((own, j) => p.map((other, k) => own * (Number(j === k) - other))), down = -(1 / p[label]);
  return {
    p, jacobian, loss: Math.log1p(others) + (top - logits[label]),
    byProbabilities: p.map((_, k) => (y[k] ? down : 0)),
    long: jacobian[label].map((slope) => (Number.isFinite(down) ? slope * down : NaN)),
    gradient: p.map((own, k) => own - y[k]),
  };
}

/** What the page shows, {slot: text}: the same as facts_of in Python. */
export function factsOf(state, found, words) {
  const { label, cell: [j, k] } = state, { p, jacobian, long, gradient, byProbabilities } = found;
  const text = (value) => (Number.isFinite(value) ? short(value, 3) : value === -Infinity ? words.infinite : words.none), low = (...places) => index(places.map((place) => place + 1).join(""));
  const bracketed = (value) => { const plainly = text(value); return /^[\d.]+$/.test(plainly) ? plainly : `(${plainly})`; };
  const total = (terms) => short(Number(terms.reduce((sum, term) => sum + term, 0).toFixed(12)), 3);
  const facts = { L: filled(words.loss, { l: low(label), loss: text(found.loss) }), "p:sum": total(p) };
  p.forEach((own, row) => {
    Object.assign(facts, {
      [`p:${row}`]: text(own), [`row:${row}`]: total(jacobian[row]), [`column:${row}`]: total(jacobian.map((line) => line[row])),
      [`down:${row}`]: text(byProbabilities[row]), [`long:${row}`]: text(long[row]),
      [`minus:${row}`]: `${text(own)} − ${Number(row === label)}`, [`short:${row}`]: text(gradient[row]),
    });
    jacobian[row].forEach((slope, column) => { facts[`J:${row}:${column}`] = text(slope); });
  });
  const value = jacobian[j][k], delta = Number(j === k), does = value > 0 ? "grows" : value < 0 ? "shrinks" : "rests";
  const names = { j: low(j), k: low(k), jk: low(j, k), l: low(label) };
  const ways = { ...names, value: bracketed(jacobian[label][k]), down: bracketed(byProbabilities[label]), row: label + 1, column: k + 1, p: text(p[k]), y: Number(k === label), long: text(long[k]), short: text(gradient[k]) };
  return {
    ...facts,
    says: filled(words[does], { ...names, size: text(Math.abs(value)) }),
    entry: filled(words.entry, { ...names, p: text(p[j]), q: text(p[k]), delta, value: text(value) }),
    longsum: filled(Number.isFinite(long[k]) ? words.longsum : words.lost, ways),
    shortsum: filled(words.shortsum, ways),
  };
}

/** The live page in `host`. `bridge.moved(state, numbers)` hears of it at rest. */
export class Page extends Live {
  constructor(host, sheet, state, bridge = {}) { super(host, sheet, state, bridge, "bp-live bp-softmax"); }

  // --- the parts of the page ---

  compose() {
    const { words, math, limits: [fewest, most] } = this.sheet, counts = Array.from({ length: most - fewest + 1 }, (_, i) => fewest + i);
    this.count = this.select(words.count, counts.map((count) => [count, count]), (count) => this.resize(Number(count)));
    this.label = this.select(words.label, [], (label) => this.go({ label: Number(label) }));
    this.note = html("div", { role: "status" });
    this.rows = html("div", { class: "bp-logits" });
    this.table = html("table", { class: "bp-jacobian", role: "grid", "aria-label": words.table });
    roving(this, this.table, { choose: (...cell) => this.go({ cell }), point: (...cell) => { this.pointed = cell.length ? cell : null; this.schedule(); } });
    const titled = (text, ...formulas) => html("div", { class: "bp-formula" }, html("strong", {}, text), ...formulas.map((formula) => build(formula)));
    const says = (slot) => html("div", { "data-slot": slot });
    this.root.append(
      html("div", { class: "bp-head" }, html("label", {}, `${words.count} `, this.count), html("label", {}, `${words.label} `, this.label), this.button(words.shift, () => this.shift()), this.button(words.reset, () => this.go(this.first)), this.verdict),
      html("div", { class: "bp-says" }, this.note, this.message),
      html("div", { class: "bp-columns" },
        html("section", { class: "bp-left" }, titled(words.bars, math.softmax), this.rows, html("p", { class: "bp-note" }, words.exp)),
        html("section", { class: "bp-right" }, titled(words.table, math.entry), html("div", { class: "bp-scroll" }, this.table),
          html("div", { class: "bp-cellsays", "aria-live": "polite" }, says("says"), says("entry")), html("p", { class: "bp-note" }, words.reads), html("p", { class: "bp-note" }, words.rows)),
        html("section", { class: "bp-under" }, titled(words.gradient, math.price, math.cancel), html("div", { class: "bp-loss", "data-slot": "L" }), html("div", { class: "bp-ways" }, says("longsum"), says("shortsum")))),
    );
  }

  /** Rows and cells for as many logits as there are. */
  composeLogits() {
    const { words, math } = this.sheet, places = this.state.logits.map((_, k) => k), named = (letter, k) => build(math[letter][k]);
    this.composed = places.length;
    this.label.replaceChildren(...places.map((k) => html("option", { value: k }, filled(words.option, { label: k, j: index(k + 1) }))));
    this.sliders = places.map((k) => this.slider(filled(words.logit, { j: index(k + 1) }), [-REACH, REACH, FINE], (value) => this.logit(k, value)));
    this.bars = places.map(() => html("div", { class: "bp-bar" }));
    this.rows.replaceChildren(...places.map((k) => html("div", { class: "bp-logit" },
      html("span", {}, named("z", k)), this.sliders[k],
      this.field(`${filled(words.logit, { j: index(k + 1) })}, ${words.typed}`, () => this.state.logits[k], (value, text) => { if (!Number.isFinite(value)) throw new Refusal(`${words.notnumber} ${text}`); this.logit(k, value); }),
      html("span", {}, named("p", k)), html("div", { class: "bp-length" }, this.bars[k], html("span", { class: "bp-target" }, filled(words.right, { j: index(k + 1) }))), html("span", { class: "bp-number", "data-slot": `p:${k}` }))),
      html("div", { class: "bp-whole" }, `${words.sum} `, html("span", { class: "bp-number", "data-slot": "p:sum" })));
    const cell = (slot, look = "") => html("td", { class: look, "data-slot": slot }), head = (node, scope, look = "", heard = "") => html("th", { scope, class: look }, ...(heard ? [html("span", { class: "bp-heard" }, heard), html("span", { "aria-hidden": "true" }, node)] : [node]));
    const cells = (row) => places.map((column) => html("td", { "data-slot": `J:${row}:${column}`, "data-row": row, "data-column": column, tabindex: "-1", "data-lm-suppress-shortcuts": "true" }));
    const line = (title, look, make) => html("tr", { class: look }, html("th", { scope: "row" }, ...title), ...places.map(make));
    const way = (name) => [words[name], html("span", { class: "bp-minus" }, words[`${name}ly`])];
    this.table.replaceChildren(
      html("thead", {}, html("tr", {}, head(build(math.corner), "col", "bp-corner", "∂p/∂z"), ...places.map((k) => head(named("z", k), "col", "", `z${index(k + 1)}`)), head(words.sum, "col", "bp-quiet"), head(build(math.down), "col", "bp-down", "∂L/∂p"))),
      html("tbody", {}, ...places.map((row) => html("tr", {}, head(named("p", row), "row", "", `p${index(row + 1)}`), ...cells(row), cell(`row:${row}`, "bp-quiet"), cell(`down:${row}`, "bp-down"))), line([words.sum], "bp-quiet", (k) => cell(`column:${k}`))),
      html("tbody", { class: "bp-ends" }, line(way("long"), "bp-long", (k) => html("td", {}, html("span", { class: "bp-tinted", "data-slot": `long:${k}` }))), line(way("short"), "bp-short", (k) => html("td", {}, html("span", { class: "bp-minus", "data-slot": `minus:${k}` }), html("span", { class: "bp-tinted", "data-slot": `short:${k}` })))),
    );
  }

  // --- the state ---

  logit(k, value) { this.go({ logits: this.state.logits.map((old, i) => (i === k ? value : old)) }); }

  resize(count) {
    const { logits, label, cell } = this.state, inside = (place) => Math.min(place, count - 1);
    this.go({ logits: Array.from({ length: count }, (_, k) => logits[k] ?? 0), label: inside(label), cell: cell.map(inside) });
  }

  /** Every logit grows by 1; how far the probabilities have moved is said. */
  shift() {
    const { words } = this.sheet, before = this.found.p;
    this.go({ logits: this.state.logits.map((z) => z + 1) });
    const moved = Math.max(...this.found.p.map((p, k) => Math.abs(p - before[k])));
    this.note.textContent = moved ? filled(words.rounded, { size: short(moved, 2) }) : words.same;
  }

  /** A state of which every part is right, else a refusal. */
  checked(state) {
    const { words, limits: [fewest, most, largest] } = this.sheet, { logits, label, cell } = state, wrong = logits.find((z) => !(Number.isFinite(z) && Math.abs(z) <= largest));
    if (wrong !== undefined) throw new Refusal(`${words.notnumber} ${plain(wrong)}`);
    const inside = (place) => Number.isInteger(place) && place >= 0 && place < logits.length;
    if (logits.length < fewest || logits.length > most || ![label, ...cell].every(inside)) throw new Refusal("the state holds a label or a cell that no logit has");
    return state;
  }

  compute(state) {
    this.note.textContent = "";
    if (state.logits.length !== this.state?.logits.length || state.logits.some((z) => Math.abs(z) > this.reach)) this.reach = REACH * 2 ** Math.max(0, Math.ceil(Math.log2(Math.max(...state.logits.map(Math.abs)) / REACH)));
    return numbersOf(state);
  }

  numbers() { return { probabilities: this.found.p, gradient: this.found.gradient, loss: this.found.loss }; }

  // --- drawing ---

  draw() {
    if (this.composed !== this.state.logits.length) this.composeLogits();
    const { found, state } = this, cell = this.pointed?.every((place) => place < found.p.length) ? this.pointed : state.cell, facts = factsOf({ ...state, cell }, found, this.sheet.words);
    for (const node of this.root.querySelectorAll("[data-slot]")) if (node.textContent !== facts[node.dataset.slot]) node.textContent = facts[node.dataset.slot];
    const tint = (node, share) => { node.style.setProperty("--share", Math.abs(share)); node.classList.toggle("bp-cold", share < 0); };
    this.bars.forEach((bar, k) => { bar.style.width = `${100 * found.p[k]}%`; bar.parentNode.classList.toggle("bp-answer", k === state.label); });
    for (const node of this.table.querySelectorAll("[data-row]")) {
      const place = [Number(node.dataset.row), Number(node.dataset.column)], same = (other) => place.every((at, axis) => at === other[axis]);
      tint(node, found.jacobian[place[0]][place[1]] / STEEPEST);
      node.tabIndex = same(state.cell) ? 0 : -1;
      node.setAttribute("aria-selected", same(state.cell));
      node.classList.toggle("bp-asked", same(cell));
    }
    this.table.querySelectorAll(".bp-tinted").forEach((node, k) => tint(node, [...found.long, ...found.gradient][k] || 0));
    const [body, ends] = this.table.tBodies;
    [...body.rows].forEach((row, j) => row.classList.toggle("bp-label", j === state.label));
    for (const row of ends.rows) [...row.cells].slice(1).forEach((node, k) => node.classList.toggle("bp-here", k === cell[1]));
  }

  /** Bring the controls to the state. */
  sync() {
    const { logits, label } = this.state;
    this.count.value = String(logits.length);
    this.label.value = String(label);
    this.sliders.forEach((slider, k) => { slider.min = String(-this.reach); slider.max = String(this.reach); slider.step = String(FINE * this.reach / REACH); slider.value = String(logits[k]); slider.setAttribute("aria-valuetext", plain(logits[k])); });
  }
}
