// Each term as the slope of a curve, redrawn while a slider moves.

const MOST_PLOTS = 8;
const PLOT = { LEFT: 50, TOP: 14, width: 208, height: 104 }; // half as high as wide, so that ticks are round numbers on both sides

/** The plots of the terms on the paths that the walk has passed. */
class Plots {
  constructor(page) { this.page = page; this.node = html("div", { class: "bp-plots" }); }

  compose() {
    this.page.drop("plots");
    const far = this.page.computation.seen(this.page.state), { output, wrt } = this.page.state;
    if (this.page.layers && this.page.state.view === "layers") { this.shown = []; this.node.replaceChildren(); return; }
    const walked = this.page.computation.between(output, wrt).filter(([of]) => far.walked.has(of)), edges = walked.slice(-MOST_PLOTS);
    this.shown = edges.map((edge) => this.plotOf(edge));
    const earlier = walked.length > edges.length ? [html("div", { class: "bp-route" }, `${this.page.sheet.words.earlier} ${walked.length - edges.length}`)] : [];
    this.node.replaceChildren(...earlier, ...this.shown.map(({ figure }) => figure));
    this.page.collect(this.node, "plots");
  }

  plotOf(edge) {
    const term = joined(edge), { symbol, steps, numbers } = this.page.terms.get(term), color = `c${this.page.chain.colors.get(term)}`;
    const [of, wrt] = edge.map((name) => this.page.sheet.math.runs[name].slice(2)), { LEFT, TOP, width, height } = PLOT;
    const svg = build(["svg", { viewBox: `0 0 ${LEFT + width + 14} ${TOP + height + 36}`, class: "bp-plot" },
      ["g", { class: "bp-ticks" }], ["path", { class: "bp-axis", d: `M${LEFT} ${TOP}V${TOP + height}H${LEFT + width}` }],
      ["text", { x: String(LEFT + width), y: String(TOP + height + 31), "text-anchor": "end", class: "bp-axisname" }, ...wrt], ["text", { x: String(LEFT + 6), y: String(TOP + 4), class: "bp-axisname" }, ...of],
      ["svg", { x: String(LEFT), y: String(TOP), width: String(width), height: String(height), class: "bp-area" }, ["path", { class: "bp-curve" }], ["path", { class: `bp-drop ${color}` }], ["path", { class: `bp-tangent ${color}` }], ["circle", { class: `bp-point ${color}`, r: "4.5" }]]]);
    svg.setAttribute("role", "img");
    const results = [...steps, ...(numbers ? [numbers] : [])].map((step) => this.page.math(step));
    const line = html("div", { class: "bp-line" }, html("span", { class: color }, this.page.math(symbol)), ...[...results, this.page.chain.number(`r:${term}`)].map((result) => html("span", {}, " = ", result)));
    const figure = html("figure", { class: "bp-figure", "data-term": term }, svg, html("figcaption", {}, line));
    this.page.hover(figure, term);
    return { edge, term, figure, svg };
  }

  draw() {
    const place = new Map(this.page.computation.edges.map((edge, i) => [joined(edge), i])), { LEFT, TOP, width, height } = PLOT;
    const at = ([x, y]) => `${x.toFixed(1)} ${Math.max(-BEYOND, Math.min(BEYOND, y)).toFixed(1)}`;
    for (const { edge, term, svg } of this.shown) {
      const slope = this.page.result.terms[place.get(term)], drawn = plot(this.page.computation, edge, this.page.result.trace, slope, PLOT);
      const hidden = this.page.hides(...edge), ticks = svg.firstChild, [curve, drop, tangent, point] = svg.lastChild.children;
      svg.setAttribute("aria-label", `${edge[0]} = ${this.page.computation.programs.get(edge[0]).text}, ${this.page.sheet.words.slope} ${hidden ? "?" : number(slope)} ${this.page.sheet.words.at} ${edge[1]} = ${number(this.page.result.trace.get(edge[1]))}`);
      curve.setAttribute("d", drawn.pieces.map((piece) => "M" + piece.map(at).join("L")).join(""));
      tangent.setAttribute("d", `M${at(drawn.tangent[0])}L${at(drawn.tangent[1])}`);
      tangent.style.display = hidden ? "none" : "";
      drop.setAttribute("d", `M${at(drawn.point)}L${at([drawn.point[0], height])}`);
      const [x, y] = at(drawn.point).split(" ");
      point.setAttribute("cx", x); point.setAttribute("cy", y);
      const texts = [...drawn.across.map(([u, label]) => ["text", { x: (u + LEFT).toFixed(1), y: String(TOP + height + 15), "text-anchor": "middle" }, label]), ...drawn.up.map(([v, label]) => ["text", { x: String(LEFT - 5), y: (v + TOP + 4).toFixed(1), "text-anchor": "end" }, label])];
      const key = JSON.stringify(texts);
      if (ticks.dataset.key !== key) { ticks.replaceChildren(...texts.map((text) => build(text, SVG))); ticks.dataset.key = key; }
    }
  }
}
