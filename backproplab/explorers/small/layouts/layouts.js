// The page of the layouts: a dense layer and its way back in matrices, which turn with the layout; and products to try.

const transposed = (rows) => rows[0].map((_, column) => rows.map((row) => row[column]));
const times = (left, right) => left.map((row) => right[0].map((_, column) => row.reduce((sum, value, k) => sum + value * right[k][column], 0)));
const signed = (value) => String(value).replace("-", "−"), inProduct = (value) => (value < 0 ? `(${signed(value)})` : signed(value));

/** Every quantity by name as it stands in the layout in rows: matrices of numbers. */
export function quantitiesOf({ sizes, n }, { axes, given }) {
  const lengths = { n, in: sizes[0], out: sizes[1], 1: 1 };
  const found = new Map(Object.entries(given).map(([name, rows]) => [name, rows.slice(0, lengths[axes[name][0]]).map((row) => row.slice(0, lengths[axes[name][1]]))]));
  const [X, W, D, [bias]] = ["X", "W", "D", "b"].map((name) => found.get(name));
  found.set("Z", times(X, transposed(W)).map((row) => row.map((value, j) => value + bias[j])));
  return found.set("dW", times(transposed(D), X)).set("dX", times(D, W)).set("db", times([D.map(() => 1)], D));
}

/** The live page in `host`. `bridge.moved(state, numbers)` hears of it at rest. */
export class Page extends Live {
  constructor(host, sheet, state, bridge = {}) { super(host, sheet, state, bridge, "bp-live bp-layouts"); }

  // --- the parts of the page ---

  compose() {
    const { words, layouts, tries } = this.sheet, group = `layout${Math.random()}`;
    this.radios = layouts.map(({ name }) => control("input", { type: "radio", name: group, value: name }));
    this.radios.forEach((radio) => this.listen(radio, "change", () => this.go({ layout_name: radio.value })));
    this.knobs = [["n", (value) => ({ n: value })], ["in", (value) => ({ sizes: [value, this.state.sizes[1]] })], ["out", (value) => ({ sizes: [this.state.sizes[0], value] })]].map(([axis, change]) => {
      const slider = this.slider(words[axis], [1, this.sheet.most[axis], 1], (value) => this.go({ ...change(value), entry: this.inside(change(value)) })), output = html("output", { class: `bp-axis-${axis}` });
      return { slider, output, node: html("label", { class: "bp-knobof" }, html("span", {}, words[axis]), slider, output) };
    });
    this.says = html("p", { class: "bp-note" });
    this.equations = html("div", { class: "bp-equations" });
    this.entry = html("div", { class: "bp-entry", "aria-live": "polite" }, html("div", { "data-slot": "says" }), html("div", { "data-slot": "made" }));
    this.tries = control("select", { "aria-label": words.try }, ...["Z", "dW", "dX"].map((result) => html("optgroup", { label: filled(words.for, { result: this.written(result) }) }, ...Object.entries(tries).filter(([, of]) => of === result).map(([text]) => html("option", { value: text }, text)))));
    this.listen(this.tries, "change", () => this.go({ tried: this.tries.value }));
    this.product = html("div", { class: "bp-drawn" });
    const places = layouts.map(({ name }) => html("tr", { "data-layout": name }, html("th", { scope: "row" }, name), html("td", { "data-slot": `shape:${name}` }), html("td", { "data-slot": `place:${name}` })));
    this.places = html("table", {}, html("thead", {}, html("tr", {}, ...[words.layout, words.of, words.where].map((text) => html("th", { scope: "col" }, text)))), html("tbody", {}, ...places));
    this.root.append(
      html("div", { class: "bp-head" }, html("fieldset", {}, html("legend", {}, words.layout), ...layouts.map(({ name }, i) => html("label", {}, this.radios[i], name))), ...this.knobs.map(({ node }) => node), this.button(words.reset, () => this.go(this.first)), this.verdict),
      html("div", { class: "bp-says" }, this.says, this.message), html("p", { class: "bp-note" }, words.given), this.entry, this.equations,
      html("div", { class: "bp-columns" },
        html("section", {}, html("div", { class: "bp-head" }, html("label", {}, html("strong", {}, words.try), " ", this.tries)), this.product, html("div", { class: "bp-tried", role: "status", "data-slot": "tried" })),
        html("section", {}, html("strong", {}, words.places), this.places)),
    );
  }

  written(name) { return { D: "δ", dW: "∂L/∂W", dX: "∂L/∂X", db: "∂L/∂b" }[name] ?? name; }

  // --- the state ---

  /** The lit entry, moved inside where a size has shrunk. */
  inside(changes) {
    const { axes } = this.sheet, [name, ...place] = this.state.entry, { sizes, n } = { ...this.state, ...changes }, lengths = { n, in: sizes[0], out: sizes[1], 1: 1 };
    return [name, ...place.map((at, axis) => Math.min(at, lengths[axes[name][axis]] - 1))];
  }

  /** A state of which every part is right, else a refusal. */
  checked(state) {
    const { axes, most, tries, layouts } = this.sheet, { sizes, n, entry: [name, ...place] } = state, lengths = { n, in: sizes[0], out: sizes[1], 1: 1 };
    const within = Object.keys(most).every((axis) => Number.isInteger(lengths[axis]) && lengths[axis] >= 1 && lengths[axis] <= most[axis]);
    if (!within || !Object.hasOwn(tries, state.tried) || !layouts.some(({ name: known }) => known === state.layout_name) || !Object.hasOwn(axes, name) || !place.every((at, axis) => Number.isInteger(at) && at >= 0 && at < lengths[axes[name][axis]])) throw new Refusal("the state holds what no layout has");
    return state;
  }

  compute(state) {
    const layout = this.sheet.layouts.find(({ name }) => name === state.layout_name), quantities = quantitiesOf(state, this.sheet);
    /** A matrix such as "W.T" in this layout: what it is, its axes and numbers; `turned` where it stands the other way round than in rows. */
    const matrix = (text) => {
      const name = text.replace(/\.T$/, ""), turned = text.endsWith(".T") !== layout.turned.includes(name), rows = quantities.get(name), axes = this.sheet.axes[name];
      return { text, name, turned, rows: turned ? transposed(rows) : rows, axes: turned ? [...axes].reverse() : axes };
    };
    const equations = layout.equations.map((row) => ({ ...row, matrix: matrix(row.result), factors: row.product.split(" @ ").map(matrix), more: row.added ? row.added.slice(2).split(" @ ").map(matrix) : [] }));
    return { layout, quantities, matrix, equations, tried: this.tried(state, matrix, equations) };
  }

  /** The product that is tried: its factors, its numbers where the shapes meet, and the verdict. */
  tried({ tried: text }, matrix, equations) {
    const [left, right] = text.split(" @ ").map(matrix), result = matrix(this.sheet.tries[text]);
    if (left.axes[1] === right.axes[0]) return { left, right, rows: times(left.rows, right.rows), verdict: left.axes[0] === result.axes[0] ? "right" : "turned" };
    if (left.rows[0].length !== right.rows.length) return { left, right, rows: null, verdict: "apart" };
    const rows = times(left.rows, right.rows), { factors } = equations.find(({ result: name }) => name === result.name);
    return { left, right, rows, verdict: JSON.stringify(rows) === JSON.stringify(times(factors[0].rows, factors[1].rows)) ? "same" : "chance" };
  }

  numbers() {
    const { equations, tried } = this.found;
    return { ...Object.fromEntries(equations.map(({ result, matrix }) => [result, matrix.rows])), ...(tried.rows ? { tried: tried.rows } : {}) };
  }

  // --- what is told ---

  /** {slot: text}: the same as facts_of in Python. */
  facts(entry) {
    const { sheet: { words, layouts, axes, tries }, state, found } = this, [name, i, j] = entry, rows = found.quantities.get(name), number = signed(rows[i][j]);
    const facts = { says: filled(words.says, { entry: filled(words[`entry${name}`], { i: i + 1, j: j + 1 }), number }), made: this.made(entry, number) };
    for (const { name: layout, turned } of layouts) {
      const places = [i + 1, j + 1], sizes = [rows.length, rows[0].length], flat = axes[name][0] === "1" ? "flat" : "";
      if (turned.includes(name)) { places.reverse(); sizes.reverse(); }
      facts[`place:${layout}`] = filled(words[`${flat}place`], { row: places[0], column: places[1], unit: j + 1 });
      facts[`shape:${layout}`] = filled(words[`${flat}shape`], { rows: sizes[0], columns: sizes[1], units: Math.max(...sizes) });
    }
    const { left, right, verdict } = found.tried, names = [left, right].map((part) => this.written(part.name) + (part.text.endsWith(".T") ? "ᵀ" : ""));
    facts.tried = filled(words[`tried${verdict}`], {
      product: names.join(" "), a: names[0], b: names[1], left: left.rows[0].length, right: right.rows.length, leftaxis: words[`axis${left.axes[1]}`], rightaxis: words[`axis${right.axes[0]}`],
      rows: left.rows.length, columns: right.rows[0].length, result: this.written(tries[state.tried]),
    });
    return facts;
  }

  /** The sum that makes an entry, nothing where it is given. */
  made([name, i, j], number) {
    const made = this.found.equations.find(({ result }) => result === name);
    if (!made) return "";
    const [row, column] = made.matrix.turned ? [j, i] : [i, j], [left, right] = made.factors;
    const terms = left.rows[row].map((value, k) => `${inProduct(value)}·${inProduct(right.rows[k][column])}`);
    if (name === "Z") terms.push(inProduct(this.found.quantities.get("b")[0][j]));
    return filled(this.sheet.words.made, { sum: terms.join(" + "), number });
  }

  // --- drawing ---

  draw() {
    const { found, state, sheet: { words } } = this, shape = JSON.stringify([state.layout_name, state.sizes, state.n, state.tried]);
    if (this.drawn !== shape) { this.drawn = shape; this.pointed = null; this.lay(); }
    const entry = this.pointed ?? state.entry, facts = this.facts(entry);
    this.says.textContent = found.layout.says;
    for (const node of this.root.querySelectorAll("[data-slot]")) if (node.textContent !== facts[node.dataset.slot]) node.textContent = facts[node.dataset.slot];
    for (const row of this.places.tBodies[0].rows) row.classList.toggle("bp-here", row.dataset.layout === state.layout_name);
    this.product.parentNode.querySelector(".bp-tried").dataset.verdict = found.tried.verdict;
    this.light(entry);
  }

  /** The equations and the product in matrices, anew. */
  lay() {
    const { found, sheet: { words } } = this, focused = document.activeElement?.closest?.(".bp-matrix")?.dataset.at;
    let at = 0;
    const drawn = (part, meet = [], clash = "") => this.matrix(part, meet, clash, at++);
    const sign = (text) => html("span", { class: "bp-sign" }, text), piece = (...nodes) => html("div", { class: "bp-piece" }, ...nodes);
    this.equations.replaceChildren(...found.equations.map(({ result, math, code, matrix, factors, more }) => {
      const [left, right] = factors;
      const parts = [piece(drawn(matrix)), piece(sign("="), drawn(left, [1])), piece(drawn(right, [0])), ...more.map((part, i) => piece(...(i ? [] : [sign("+")]), drawn(part)))];
      return html("section", { "data-result": result }, html("div", { class: "bp-titled" }, html("strong", {}, words[result]), build(math), html("code", {}, code)), html("div", { class: "bp-drawn" }, ...parts));
    }));
    const { left, right, rows, verdict } = found.tried, clash = verdict === "apart" ? "bp-clash" : verdict === "chance" || verdict === "same" ? "bp-chance" : "";
    const outcome = rows ? piece(sign("="), drawn({ text: "", name: "", rows, axes: [left.axes[0], right.axes[1]], turned: false })) : piece(sign("?"));
    this.product.replaceChildren(piece(drawn(left, [1], clash)), piece(drawn(right, [0], clash)), outcome);
    if (focused !== undefined) this.root.querySelector(`.bp-matrix[data-at="${focused}"] [tabindex="0"]`)?.focus();
  }

  /** A matrix: its name, its numbers, its shape; `meet` are the axes (0 rows, 1 columns) that meet those of a neighbour. */
  matrix(part, meet, clash, at) {
    const { words, math } = this.sheet, { name, text, rows, axes, turned } = part;
    const cells = rows.map((row, i) => html("tr", {}, ...row.map((value, j) => html("td", { "data-row": i, "data-column": j, "data-entry": turned ? `${name} ${j} ${i}` : `${name} ${i} ${j}`, tabindex: i || j ? "-1" : "0", "data-lm-suppress-shortcuts": "true" }, signed(value)))));
    const table = html("table", { class: "bp-matrix", role: "grid", "data-at": at, "aria-label": filled(words.matrix, { name: text || words.product, rows: rows.length, columns: rows[0].length }) }, html("tbody", {}, ...cells));
    const chosen = (i, j) => (turned ? [name, j, i] : [name, i, j]), picked = name && name !== "one";
    roving(this, table, { choose: (i, j) => { if (picked) this.go({ entry: chosen(i, j) }); }, point: (i, j) => { this.pointed = picked && i !== undefined ? chosen(i, j) : null; this.schedule(); } });
    const axis = (k) => html("span", { class: `bp-axis-${axes[k]} ${meet.includes(k) ? clash || "bp-meets" : ""}` }, `${[rows.length, rows[0].length][k]}`), letter = (k) => (axes[k] === "1" ? "1" : axes[k]);
    return html("figure", {}, html("figcaption", {}, text ? build(math[text]) : ""), table, html("div", { class: "bp-shape" }, axis(0), " × ", axis(1), html("span", { class: "bp-letters" }, `${letter(0)} × ${letter(1)}`)));
  }

  /** The entry wherever it stands, and in each equation the row and the column that make it. */
  light(entry) {
    const key = entry.join(" ");
    for (const cell of this.root.querySelectorAll("[data-entry]")) { cell.classList.toggle("bp-lit", cell.dataset.entry === key); cell.classList.remove("bp-part"); }
    const made = this.found.equations.find(({ result }) => result === entry[0]);
    if (!made) return;
    const [row, column] = made.matrix.turned ? [entry[2], entry[1]] : [entry[1], entry[2]], [, left, right, ...more] = this.equations.querySelector(`[data-result="${entry[0]}"]`).querySelectorAll(".bp-matrix");
    const part = (table, place) => { for (const cell of table.querySelectorAll(place)) cell.classList.add("bp-part"); };
    part(left, `[data-row="${row}"]`); part(right, `[data-column="${column}"]`);
    more.forEach((table, i) => part(table, i < more.length - 1 ? `[data-row="${row}"]` : `[data-column="${column}"]`));
  }

  /** Bring the controls to the state. */
  sync() {
    const { state: { layout_name: layout, sizes, n, tried } } = this, values = [n, ...sizes];
    for (const radio of this.radios) radio.checked = radio.value === layout;
    this.knobs.forEach(({ slider, output }, i) => { slider.value = String(values[i]); output.textContent = String(values[i]); });
    this.tries.value = tried;
  }
}
