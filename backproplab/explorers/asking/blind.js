// Be the optimiser: the parameters are tuned by hand while only the loss is seen; then the surface, the way, and the gradient's own.

const PLAIN = { LEFT: 70, TOP: 12, RIGHT: 34, width: 420, height: 280 }, GRID = [41, 31];
const STRIP = { LEFT: 54, TOP: 10, width: 300, height: 90 };

/** The loss alone with the number of moves; once it is shown, a map with the learner's way and the gradient's from the same start. */
class Blind {
  constructor(page) {
    this.page = page; this.words = page.sheet.words;
    this.names = page.sheet.inputs.filter((name) => !page.sheet.data.includes(name));
    this.loss = html("strong", { class: "bp-loss", role: "status" });
    this.count = html("span", { class: "bp-route" });
    const button = (name, act) => { const node = html("button", { type: "button", "data-lm-suppress-shortcuts": "true" }, this.words[name]); page.listen(node, "click", act); return node; };
    this.show = button("show", () => page.change({ blind: false }) && (this.refresh(), this.again.focus()));
    this.again = button("again", () => this.restart());
    this.field = Panel.prototype.field.call({ page, fill: (node) => this.fill(node) }, "rate", this.words.gradientrate);
    this.rate = html("label", {}, `${this.words.gradientrate} `, this.field);
    this.says = html("div", {});
    this.strip = frame(STRIP, ["path", { class: "bp-curve" }], ["path", { class: "bp-way bp-run1 c2" }], ["path", { class: "bp-dots c3" }]);
    this.map = html("figure", { class: "bp-plane" });
    this.node = html("section", { class: "bp-asking bp-blindfold", "aria-label": this.words.blindtitle });
    this.inside = [html("strong", {}, this.words.blindtitle), this.says, html("div", { class: "bp-head" }, this.loss, this.count, this.show, this.again, this.rate), html("div", { class: "bp-beside" }, this.map, this.strip)];
  }

  fill(node) { if (!node.dataset.typing) { node.value = number(this.page.state.rate); node.removeAttribute("aria-invalid"); } }

  /** Back to where it began, with nothing shown. */
  restart() {
    const [start] = this.page.state.way;
    this.page.change({ numbers: this.at(start), blind: true, way: [start] }, true);
    this.drawn = null;
  }

  at(row) { return Object.fromEntries(this.names.map((name, i) => [name, row[i]])); }
  value(row) { const { state, computation } = this.page; return computation.totals({ ...state, numbers: { ...state.numbers, ...this.at(row) } }).value; }

  refresh() {
    const { page, words } = this, { state } = page, blind = state.blind === true;
    page.root.classList.toggle("bp-blindly", blind);
    if (blind && page.root.classList.contains("bp-projecting")) page.sharing.project(false); // the button that leads back is hidden
    offer(this.node, this.inside, state.blind !== null);
    for (const [name, { row }] of page.controls) row.hidden = blind && page.sheet.data.includes(name);
    if (state.blind === null) return;
    const whole = state.rows.length ? `${state.output}_B` : state.output, losses = state.way.map((row) => this.value(row));
    this.loss.textContent = `${whole} = ${written(page.totals().value)}`;
    this.count.textContent = filled(words.count, { count: losses.length - 1 });
    this.show.hidden = !blind; this.map.hidden = this.rate.hidden = blind;
    if (blind) this.says.textContent = filled(words.blindsay, { output: whole });
    this.fill(this.field);
    const theirs = blind ? { losses: [] } : this.descend();
    this.drawStrip(losses, theirs.losses, whole);
    if (!blind) this.reveal(losses, theirs, whole);
  }

  /** The loss after each move, once it is shown also after each step of the gradient. */
  drawStrip(losses, theirs, whole) {
    const low = Math.min(...losses, ...theirs, 0), tall = Math.max(...losses, ...theirs) - low || 1, count = Math.max(10, losses.length - 1), [curve, other, dots] = this.strip.lastChild.children;
    const [points, steps] = [losses, theirs].map((all) => all.map((loss, i) => [i / count * STRIP.width, (1 - (loss - low) / tall * 0.92) * STRIP.height]));
    curve.setAttribute("d", line(points)); other.setAttribute("d", line(steps));
    dots.setAttribute("d", points.map(([x, y]) => `M${x.toFixed(1)} ${y.toFixed(1)}h0`).join(""));
    this.strip.setAttribute("role", "img");
    this.strip.setAttribute("aria-label", `${filled(this.words.overmoves, { output: whole })}: ${losses.map((loss) => written(loss)).slice(-MOST_BARS).join(", ")}`);
    ticks(this.strip, STRIP, [0, 0.5, 1].map((t) => [t * STRIP.width, short(t * count)]), [0, 1].map((t) => [(1 - t * 0.92) * STRIP.height, compact(low + t * tall)]));
  }

  /** The gradient's way from the same start, with as many steps at the rate; {rows, losses, broke}. */
  descend() {
    const { state, computation, sheet } = this.page, rows = [state.way[0]], losses = [this.value(rows[0])];
    let numbers = { ...state.numbers, ...this.at(rows[0]) };
    try {
      while (rows.length < state.way.length) {
        const { gradient } = computation.totals({ ...state, numbers });
        numbers = { ...numbers, ...Object.fromEntries(state.parameters.map((name) => [name, numbers[name] - state.rate * (gradient.get(name) ?? 0)])) };
        const { value } = computation.totals({ ...state, numbers });
        if (!Number.isFinite(value) || sheet.inputs.some((name) => !(Math.abs(numbers[name]) <= LARGEST))) throw new Refusal(this.words.broke);
        rows.push(this.names.map((name) => numbers[name])); losses.push(value);
      }
    } catch (error) { if (!(error instanceof Refusal)) throw error; return { rows, losses, broke: true }; }
    return { rows, losses, broke: false };
  }

  /** The two parameters that were moved farthest, as places among the names. */
  get plane() {
    const { way } = this.page.state, far = this.names.map((_, i) => Math.max(...way.map((row) => row[i])) - Math.min(...way.map((row) => row[i])));
    return this.names.map((_, i) => i).sort((a, b) => far[b] - far[a] || a - b).slice(0, 2).sort((a, b) => a - b);
  }

  reveal(losses, theirs, whole) {
    const { page, words } = this, { state } = page, key = JSON.stringify([state.way, state.rate, state.output, state.parameters, state.rows, this.names.map((name) => state.numbers[name])]);
    if (key === this.drawn) return;
    this.drawn = key;
    const { plane } = this, others = this.names.length > 2 ? ` ${words.slice.replace("{output}", whole)}` : "";
    const texts = { output: whole, first: written(losses[0]), yours: written(losses.at(-1)), moves: this.counted(losses, "move"), theirs: written(theirs.losses.at(-1)), steps: this.counted(theirs.losses, "step"), rate: written(state.rate) };
    const told = losses.length > 1 ? [html("div", {}, filled(words.ended, texts), theirs.broke ? ` ${words.broke}` : ""), html("div", {}, filled(words.saves, texts))] : [html("div", {}, words.nomove)];
    this.says.replaceChildren(...told, html("div", { class: "bp-route" }, others));
    const ways = [state.way, theirs.rows].map((rows) => rows.map((row) => plane.map((i) => row[i]))), rims = [0, 1].map((k) => reach(Math.max(...ways.flat().map((point) => Math.abs(point[k])))));
    this.drawMap(plane.map((i) => this.names[i]), rims, ways, whole);
  }

  /** How many moves or steps lie between so many losses, in words. */
  counted({ length }, what) { return length === 2 ? this.words[`one${what}`] : filled(this.words[`many${what}s`], { count: length - 1 }); }

  /** The loss on a grid of the plane, in rows from low to high. */
  heights([x, y], rims) {
    const { state, computation } = this.page, spot = (k, i) => rims[k] * (2 * i / (GRID[k] - 1) - 1);
    return Array.from({ length: GRID[1] }, (_, i) => Array.from({ length: GRID[0] }, (_, j) => { try { return computation.totals({ ...state, numbers: { ...state.numbers, [x]: spot(0, j), [y]: spot(1, i) } }).value; } catch { return NaN; } }));
  }

  drawMap(names, rims, ways, whole) {
    const { words, page: { sheet } } = this, { LEFT, TOP, width, height } = PLAIN;
    const place = (u, v) => [u * width, (1 - v) * height], at = (point) => place(...point.map((value, k) => (value / rims[k] + 1) / 2));
    const drawn = ways.map((way, i) => { const points = way.map(at); return ["g", { class: i ? "c2" : "c3" }, ["path", { class: `bp-way ${i ? "bp-run1" : ""}`, d: line(points) }], ["path", { class: "bp-dots", d: points.map(([x, y]) => `M${x.toFixed(1)} ${y.toFixed(1)}h0`).join("") }], ["circle", { class: "bp-now", cx: points.at(-1)[0].toFixed(1), cy: points.at(-1)[1].toFixed(1), r: "5.5" }]]; }).reverse();
    const svg = frame(PLAIN, ...contourLines(contourMap(this.heights(names, rims)), place), ...drawn, ["circle", { class: "bp-ring", cx: at(ways[0][0])[0].toFixed(1), cy: at(ways[0][0])[1].toFixed(1), r: "9" }]);
    svg.setAttribute("class", "bp-plot bp-chart");
    svg.setAttribute("role", "img"); svg.setAttribute("aria-label", filled(words.mapof, { output: whole, x: names[0], y: names[1] }));
    const [across, up] = rims.map((rim, k) => named((value) => at(k ? [0, value] : [value, 0])[k], [-1, -0.5, 0, 0.5, 1].map((t) => t * rim)));
    ticks(svg, PLAIN, across, up);
    const axis = (name, look) => { const [, , ...runs] = sheet.math.runs[name]; return build(["text", { class: "bp-axisname", ...look }, ...runs], SVG); };
    svg.append(axis(names[0], { x: String(LEFT + width - 4), y: String(TOP + height - 8), "text-anchor": "end" }), axis(names[1], { x: String(LEFT + 8), y: String(TOP + 14) }));
    const keyed = [words.byhand, words.bygradient].map((text, i) => { const key = build(["svg", { viewBox: "0 0 34 8", width: "34", height: "8", class: i ? "c2" : "c3" }, ["path", { class: `bp-way ${i ? "bp-run1" : ""}`, d: "M0 4H34" }]]); key.setAttribute("aria-hidden", "true"); return html("span", { class: "bp-key" }, key, ` ${text}`); });
    this.map.replaceChildren(html("div", { class: "bp-head" }, ...keyed), svg);
  }
}
PARTS.push(Blind);
