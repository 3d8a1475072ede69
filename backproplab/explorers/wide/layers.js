// The second view of a network: one node a tensor with its shape, the way back with each term's shape, and the chain in matrices.

class Layers {
  constructor(page, sheet) {
    this.page = page; this.sheet = sheet;
    this.graph = new Computation({ ...sheet, passes: [], data: [], carried: [], words: page.sheet.words });
    this.tensor = new Map(Object.entries(sheet.units).flatMap(([tensor, units]) => units.map((unit) => [unit, tensor])));
    this.node = build(sheet.picture);
    this.parts = [...this.node.querySelectorAll("[data-mark], [data-slot]")].map((node) => ({ node, base: node.getAttribute("class") ?? "", mark: node.getAttribute("data-mark"), slot: node.getAttribute("data-slot") }));
    for (const node of this.node.querySelectorAll("[data-pick]")) this.pickable(node, node.getAttribute("data-pick"));
  }

  pickable(node, tensor) {
    for (const [name, value] of [["role", "button"], ["tabindex", "0"], ["data-lm-suppress-shortcuts", "true"], ["aria-label", `${tensor} ${this.sheet.shapes[tensor] ?? ""}`.trim()]]) node.setAttribute(name, value);
    const choose = () => {
      const { page } = this, { output, wrt } = page.state, unit = this.tensor.get(wrt) === tensor ? wrt : this.sheet.units[tensor][0];
      if (page.computation.choices(output).includes(unit)) page.change({ wrt: unit }); else page.say(`${tensor}: ${tensor === output ? page.sheet.words.itself : page.sheet.words.nopath} ${output}.`);
    };
    this.page.listen(node, "click", choose);
    this.page.listen(node, "keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(); } });
  }

  /** The tensor that holds the quantity asked for. */
  get asked() { return this.tensor.get(this.page.state.wrt); }

  /** The tensors that hold these quantities. */
  tensorsOf(names) { return [...new Set(names.map((name) => this.tensor.get(name) ?? name))].filter((name) => name in this.sheet.names); }

  /** What each slot shows and how each part looks, at the page's state. */
  facts() {
    const { page, sheet, graph, asked } = this, far = page.computation.seen(page.state), text = new Map(), mark = new Map(), found = page.found.text;
    const way = graph.between("L", asked), lit = new Map(way.map((edge, i) => [joined(edge), `lit c${i % COLORS}`])), on = new Set(way.flat());
    const line = (tensor) => sheet.units[tensor][0], known = (tensor) => !graph.programs.has(tensor) || far.computed.has(line(tensor));
    for (const tensor of Object.keys(sheet.units)) {
      mark.set(`n:${tensor}`, [[!known(tensor), "unknown"], [far.current.includes(line(tensor)), "now"], [tensor === asked, "asked"], [on.has(tensor), "lit"]].filter(([holds]) => holds).map(([, look]) => look).join(" "));
      const scalar = tensor === "L" && known(tensor) ? found["v:L"] : "";
      if (known(tensor)) text.set(`v:${tensor}`, sheet.shapes[tensor] || scalar);
      if (found[`d:${line(tensor)}`] !== undefined) text.set(`g:${tensor}`, sheet.shapes[tensor] || "1");
    }
    for (const edge of graph.edges) {
      const key = joined(edge), look = lit.get(key) ?? "off", seen = far.walked.has(line(edge[0]));
      mark.set(`e:${key}`, look);
      mark.set(`b:${key}`, seen ? look : "hidden").set(`t:${key}`, seen ? look : "hidden");
      if (seen) text.set(`t:${key}`, sheet.terms[key]);
    }
    return { text, mark };
  }

  draw() {
    const layered = this.page.state.view === "layers";
    this.node.style.display = layered ? "" : "none";
    this.page.picture.firstChild.style.display = layered ? "none" : "";
    if (!layered) return;
    const { text, mark } = this.facts();
    for (const { node, base, mark: part, slot } of this.parts) {
      if (part) node.setAttribute("class", `${base} ${mark.get(part) ?? ""}`.trim());
      if (slot) { const wanted = text.get(slot) ?? ""; if (node.textContent !== wanted) node.textContent = wanted; }
    }
    for (const node of this.node.querySelectorAll("[data-pick]")) node.setAttribute("aria-pressed", String(node.getAttribute("data-pick") === this.asked));
  }

  /** The chain of the tensor in matrices, in place of the paths of one number: each gradient on the way from the one above. */
  compose() {
    const { page, sheet, graph, asked } = this, way = graph.between("L", asked), names = [...new Set(way.map(([, use]) => use))].filter((name) => name !== asked);
    const colors = new Map(way.map((edge, i) => [joined(edge), i % COLORS]));
    const factors = way.flatMap((edge, i) => [...(i ? [["mo", {}, "⋅"]] : []), ["mstyle", { "data-term": joined(edge) }, ...fraction(sheet.names, edge).slice(2)]]);
    const [left, right] = sheet.rows[asked].slice(2).map(([, look]) => (...inside) => ["mtd", look, ["mrow", {}, ...inside]]);
    const single = graph.paths("L", asked).count === 1 ? [["mtr", {}, left(...fraction(sheet.names, ["L", asked]).slice(2)), right(["mo", {}, "="], ...factors)]] : [];
    const table = build(["math", {}, ["mtable", { displaystyle: "true", columnalign: "right left" }, ...single, ...[...names, asked].map((name) => sheet.rows[name])]]);
    for (const node of table.querySelectorAll("[data-term]")) if (colors.has(node.getAttribute("data-term"))) node.setAttribute("class", `c${colors.get(node.getAttribute("data-term"))}`);
    page.chain.colors = colors;
    page.chain.node.replaceChildren(html("div", { class: "bp-matrices" }, table));
    page.collect(page.chain.node, "chain");
  }
}
