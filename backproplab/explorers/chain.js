// The chain of the page: each path as a product of its terms, or each delta from those above it.

/** What stands below the picture in symbols, in formulas and in numbers. */
class Chain {
  constructor(page) { this.page = page; this.node = html("div", { class: "bp-chain" }); this.colors = new Map(); }

  /** The place of a number that a slot fills. */
  number(slot, classes = "") { return html("span", { "data-slot": slot, class: `bp-number ${classes}` }); }

  compose() {
    this.page.drop("chain");
    if (this.page.layers && this.page.state.view === "layers") { this.page.layers.compose(); return; }
    if (this.page.state.through === "delta" && this.page.sheet.deltas.length) { this.composeDelta(); return; }
    const { output, wrt } = this.page.state, { words } = this.page.sheet, { count, first } = this.page.computation.paths(output, wrt);
    this.colors = new Map(this.page.computation.between(output, wrt).map((edge, i) => [joined(edge), i % COLORS]));
    const twofold = count > 1 && this.page.terms.has(joined([output, wrt])), sign = twofold ? "d" : "∂";
    const left = () => html("span", { class: "bp-left" }, this.quotient(output, wrt, sign));
    const blocks = first.map((path, k) => {
      const title = count > 1 ? [html("div", { class: "bp-route" }, `${words.path} ${k + 1} / ${count}: ${[output, ...path.map(([, use]) => use)].join(" ← ")}`)] : [];
      const product = this.signs("", "", html("span", {}, "= ", this.number(`p:${k}`)));
      const factors = path.map((edge, i) => this.together(...(i ? [this.signs("·", "·", "·")] : []), this.factorOf(edge), ...(i === path.length - 1 ? [product] : [])));
      return html("div", { class: count > 1 ? "bp-path" : "bp-only" }, ...title, html("div", { class: "bp-product" }, ...(count > 1 ? [] : [this.signs(left(), "", "")]), this.signs(count > 1 ? "" : "=", "=", "="), ...factors));
    });
    if (count > 1) {
      const sum = first.flatMap((_, k) => [k ? " + " : "", this.number(`q:${k}`)]), rest = count > first.length ? [` + (${count - first.length} ${words.more}: `, this.number("o:"), ")"] : [];
      blocks.push(html("div", { class: "bp-sum" }, html("div", { class: "bp-route" }, `${words.sum} ${count} ${words.paths}${twofold ? words.whole : ""}`), left(), " = ", ...sum, ...rest, " = ", this.number("s:", "bp-total")));
    }
    this.node.replaceChildren(...blocks);
    this.page.collect(this.node, "chain");
  }

  /** Parts of a chain that stay in one row. */
  together(...parts) { return html("span", { class: "bp-together" }, ...parts); }

  /** The chain through delta: a row for each unit's delta on the way, then delta times what came in; many paths fold into few rows. */
  composeDelta() {
    const { output, wrt } = this.page.state, { words } = this.page.sheet, { way, names } = this.deltaNames();
    this.colors = new Map(way.map((edge, i) => [joined(edge), i % COLORS]));
    const rows = names.map((name) => this.deltaRow(name, way));
    const { count } = this.page.computation.paths(output, wrt);
    this.node.replaceChildren(...rows, html("div", { class: "bp-route" }, filled(words.folded, { count: count.toLocaleString("en"), rows: rows.length })));
    this.page.collect(this.node, "chain");
  }

  /** The quantities whose gradients are rows of the chain through delta, from the loss down, and the edges on their way. */
  deltaNames() {
    const { output, wrt } = this.page.state, way = this.page.computation.between(output, wrt), names = [...new Set(way.map(([, use]) => use))];
    return { way, names: [...names.filter((name) => this.page.sheet.deltas.includes(name) && name !== wrt), wrt] };
  }

  /** Of what the gradient of one quantity is a sum: the edges that use it, or, where one line alone does, those that use that line. */
  deltaParts(name, way) {
    const users = way.filter(([, use]) => use === name), inner = users.length === 1 && !this.page.sheet.deltas.includes(users[0][0]) && users[0][0] !== this.page.state.output ? users[0][0] : null;
    const parts = inner === null ? users : way.filter(([, use]) => use === inner);
    return { users, inner, parts, many: inner !== null && parts.length > 1 };
  }

  /** The gradient of one quantity from those of the deltas above it: (sum of delta times weight) times slope. */
  deltaRow(name, way) {
    const { output } = this.page.state, { users, inner, parts, many } = this.deltaParts(name, way);
    const product = (edge) => (edge[0] === output ? [this.factorOf(edge)] : [this.deltaOf(edge[0]), this.signs("·"), this.factorOf(edge)]);
    const sum = parts.flatMap((edge, i) => [this.together(...(i ? [this.signs("+")] : many ? [this.signs("(")] : []), ...product(edge), ...(many && i === parts.length - 1 ? [this.signs(")")] : []))]);
    const slope = inner === null ? [] : [this.together(this.signs("·"), this.factorOf(users[0]))];
    return html("div", { class: "bp-path bp-product" }, html("span", { class: "bp-factor bp-sign" }, html("span", {}, this.quotient(output, name, users.length > 1 && users.some(([of]) => of === output) ? "d" : "∂")), html("span", {}, this.page.sheet.deltas.includes(name) ? this.delta(name) : ""), html("span", {}, "")), this.signs("="), ...sum, ...slope, this.signs("", "", html("span", {}, "= ", this.number(`d:${name}`, name === this.page.state.wrt ? "bp-total" : ""))));
  }

  signs(...rows) { return html("span", { class: "bp-factor bp-sign" }, ...(rows.length === 1 ? [rows[0], rows[0], rows[0]] : rows).map((row) => html("span", {}, row))); }
  delta(name) { const [tag, attributes, base, ...scripts] = this.page.sheet.math.names[name].slice(2).at(-1); return build(["math", {}, [tag, attributes, ["mi", {}, "δ"], ...scripts]]); }
  deltaOf(name) { return html("span", { class: "bp-factor bp-sign" }, html("span", {}, this.quotient(this.page.state.output, name, "∂")), html("span", {}, this.delta(name)), this.number(`e:${name}`)); }

  /** A derivative as a fraction, with d where ∂ already stands for one line alone. */
  quotient(of, wrt, sign) {
    return build(fraction(this.page.sheet.math.names, [of, wrt], sign));
  }

  factorOf(edge) {
    const term = joined(edge), { symbol, factor: shown } = this.page.terms.get(term);
    const column = html("span", { class: `bp-factor c${this.colors.get(term)}`, "data-term": term }, html("span", {}, this.page.math(symbol)), html("span", {}, this.page.math(shown)), this.number(`f:${term}`));
    this.page.hover(column, term);
    return column;
  }
}
