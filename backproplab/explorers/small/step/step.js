// The page of a step size: what three formulas give, digit by digit, and a plot of their errors in which h can be dragged.

const REST = 100, PATIENCE = 300, NEAR = 18; // milliseconds, milliseconds, pixels
const FRAME = { left: 46, right: 18, top: 30, bottom: 40, rim: 26 }, HIGH = 310, HIGHER = 440, WIDE = 1060;
const FIRST_DECADE = -20, LAST_DECADE = 0, LOWEST = -17, HIGHEST = 8;
const FORMULA_COLORS = ["c2", "c3", "c1"];
const BESIDE = { left: [-14, -4], right: [20, -4], below: [8, 16] }; // pixels from a line to a text, which keeps clear of it

let count = 0;

/** 10 with a raised exponent: 1, 10⁻⁴. */
const power = (exponent) => (exponent === 0 ? "1" : "10" + [...String(exponent)].map((c) => RAISED[c]).join(""));
const bounded = (value, low, high) => Math.min(Math.max(value, low), high);

/** Where steps and errors stand in a plot of that size; `errors` say how many decades it has. */
export function scales(width, height, errors) {
  const known = errors.filter((error) => error > 0), rim = errors.some((error) => error === 0);
  const top = bounded(Math.ceil(Math.log10(Math.max(1, ...known))), 1, HIGHEST);
  const wide = width - FRAME.left - FRAME.right, high = height - FRAME.top - FRAME.bottom - (rim ? FRAME.rim : 0);
  return {
    top, rim, right: width - FRAME.right, floor: FRAME.top + high, bottom: height - FRAME.bottom,
    x: (h) => FRAME.left + (bounded(Math.log10(h), FIRST_DECADE, LAST_DECADE) - FIRST_DECADE) / (LAST_DECADE - FIRST_DECADE) * wide,
    y: (error) => FRAME.top + (top - bounded(Math.log10(error), LOWEST, top)) / (top - LOWEST) * high,
    h: (x) => 10 ** ((x - FRAME.left) / wide * (LAST_DECADE - FIRST_DECADE) + FIRST_DECADE),
  };
}

/** The live page in `host`. `bridge.moved(state)` hears of each step; without a bridge the page knows the table alone. */
export class Page {
  constructor(host, sheet, state, bridge = {}) {
    this.sheet = sheet; this.bridge = bridge; this.id = `bps${++count}`;
    this.rows = sheet.rows;
    this.row = state.row;
    this.scrolled = [];
    this.abort = new AbortController();
    this.root = html("div", { class: "bp-page bp-step" });
    this.compose();
    host.append(this.root);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.figure);
    this.resize();
    this.draw();
  }

  dispose() {
    this.abort.abort(); this.observer.disconnect();
    clearTimeout(this.rest); clearTimeout(this.patience); cancelAnimationFrame(this.frame);
    this.root.remove();
  }

  listen(node, event, act) {
    node.addEventListener(event, (happened) => { try { act(happened); } catch (error) { this.refuse(error); } }, { signal: this.abort.signal });
  }

  // --- the parts of the page ---

  compose() {
    const { words, math } = this.sheet, control = { "data-lm-suppress-shortcuts": "true" };
    this.range = html("input", { type: "range", min: "0", max: String(this.rows.length - 1), step: "1", "aria-label": words.step, ...control });
    this.field = html("input", { type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false", "aria-label": `${words.step}, ${words.typed}`, ...control });
    this.listen(this.range, "input", () => this.go(this.rows[this.range.value]));
    this.listen(this.field, "input", () => { this.typing = true; });
    this.listen(this.field, "keydown", (event) => { if (event.key === "Enter") this.enter(); });
    this.listen(this.field, "blur", () => { try { this.enter(); } finally { this.typing = false; } this.sync(); });
    this.verdict = html("span", { class: "bp-verdict", role: "status" });
    this.message = html("div", { class: "bp-message", role: "alert" });
    this.note = html("div", { class: "bp-noted", role: "status" });
    const head = html("div", { class: "bp-head" }, html("span", { class: "bp-letter", "aria-hidden": "true" }, "h"), this.range, this.field, this.verdict);
    this.figure = html("figure", { class: "bp-errors" });
    this.tip = html("div", { class: "bp-tip" }, words.drag);
    this.legend = html("ul", { class: "bp-legend", "aria-label": words.formulas }, ...this.sheet.names.map((name, i) => html("li", {}, this.swatch(i), name)));
    this.listen(this.figure, "pointerdown", (event) => this.press(event));
    this.listen(this.figure, "pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) this.listen(this.figure, end, () => { this.dragging = false; });
    this.listen(this.figure, "pointerleave", () => this.show(null));
    this.root.append(head, html("div", { class: "bp-says" }, this.note, this.message),
      html("div", { class: "bp-columns" }, this.composeNumbers(), html("div", { class: "bp-left" }, this.legend, this.figure, this.tip), this.composeParts()));
    this.axis = math.axis;
  }

  /** A piece of a formula's line, as it is drawn in the plot. */
  swatch(i) {
    const node = build(["svg", { class: `bp-swatch ${FORMULA_COLORS[i]}`, viewBox: "0 0 34 10", width: "34", height: "10" }, ["path", { class: `bp-line bp-line${i}`, d: "M2 5H32" }]]);
    node.setAttribute("aria-hidden", "true");
    return node;
  }

  /** The derivative and each formula's number, below each other. */
  composeNumbers() {
    const { words, names, math, exact } = this.sheet, [digits, power] = exact;
    const head = [words.formula, words.number, words.right].map((text) => html("th", { scope: "col" }, text));
    const row = (kind, name, ...cells) => html("tr", { class: kind }, html("th", { scope: "row" }, ...name), ...cells);
    this.numbers = names.map(() => ({ digits: html("td", { class: "bp-digits" }), said: html("td", { class: "bp-said" }) }));
    const truth = row("bp-truth", [build(math.derivative), ` ${words.exact}`], html("td", { class: "bp-digits" }, digits, html("span", { class: "bp-power" }, power)), html("td", { class: "bp-said" }, words.from));
    const rows = names.map((name, i) => row(FORMULA_COLORS[i], [this.swatch(i), name], this.numbers[i].digits, this.numbers[i].said));
    const table = html("table", {}, html("caption", {}, words.derivative), html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, truth, ...rows));
    return this.scrolling(html("div", { class: "bp-numbers" }, table), words.derivative);
  }

  /** Of each formula how it is written, and the values that it is made of. */
  composeParts() {
    const { words, names, math } = this.sheet;
    this.parts = names.map(() => ({ digits: [0, 1].map(() => html("span", { class: "bp-digits" })), note: html("div", { class: "bp-lost" }) }));
    const cards = names.map((name, i) => {
      const values = math.parts[i].map((part, k) => html("div", { class: "bp-value" }, html("span", { class: "bp-of" }, build(part)), html("span", {}, "="), this.parts[i].digits[k]));
      return html("li", { class: `bp-part ${FORMULA_COLORS[i]}` }, html("div", { class: "bp-formula" }, html("span", {}, name), build(math.formulas[i])), ...values, this.parts[i].note);
    });
    return this.scrolling(html("div", { class: "bp-parts" }, html("div", { class: "bp-caption" }, words.parts), html("ul", {}, ...cards)), words.parts);
  }

  /** A part that scrolls where names are long, and can then be reached by keyboard. */
  scrolling(node, label) {
    this.scrolled.push([node, label]);
    return node;
  }

  // --- the step ---

  /** Go to a row of the table; the kernel hears of it at rest. */
  go(row) {
    this.leave();
    this.row = row;
    this.schedule();
    this.rest = setTimeout(() => this.tell(row.h), REST);
  }

  /** The kernel hears of a step; its answer counts until the page goes elsewhere. */
  tell(h) {
    this.told = h;
    try { this.bridge.moved?.({ h }); } catch { /* a kernel that is gone: the bridge says so when its time is up */ }
  }

  /** The step is known: nothing is waited for, and what was said of it is gone. */
  settled() {
    clearTimeout(this.patience); clearTimeout(this.rest);
    this.asked = null;
    this.note.textContent = this.verdict.textContent = "";
    this.verdict.classList.remove("bp-bad");
  }

  /** The page itself goes elsewhere: an answer that is on its way is stale, a refusal is past. */
  leave() {
    this.settled();
    this.told = null; this.typing = false;
    this.message.textContent = "";
    this.field.removeAttribute("aria-invalid");
  }

  enter() {
    if (!this.typing) return;
    try { this.seek(typed(this.field.value)); } catch (error) {
      this.field.setAttribute("aria-invalid", "true");
      throw error;
    }
  }

  /** A step that was typed: the table has it, or the kernel is asked, or the page goes as near as it can. */
  seek(h) {
    const { words } = this.sheet;
    if (!(h > 0 && h <= 1)) throw new Refusal(`${words.refused} ${this.field.value.trim() || words.nothing}`);
    const row = [this.row, ...this.rows].find((known) => known.h === h);
    if (row) { this.go(row); return; }
    this.leave();
    this.asked = h;
    if (!this.bridge.moved) { this.settle(words.alone); return; }
    this.tell(h);
    this.patience = setTimeout(() => this.settle(words.waits), PATIENCE);
  }

  /** The nearest row of the table in place of the step that was asked for. */
  settle(reason) {
    this.note.textContent = `${reason} ${plain(this.asked)}.`;
    this.row = this.nearest(this.asked);
    this.schedule();
  }

  nearest(h) {
    const far = (row) => Math.abs(Math.log(row.h / h));
    return this.rows.reduce((best, row) => (far(row) < far(best) ? row : best));
  }

  /** A state that the kernel set. */
  receive(state) {
    this.settled();
    this.row = state.row;
    this.schedule();
  }

  /** The kernel's answer: it is drawn if the page has not gone elsewhere since. */
  judge({ row, error }) {
    const { words } = this.sheet;
    if (error) {
      this.verdict.textContent = `${words.kernelerror}: ${error}`;
      this.verdict.classList.add("bp-bad");
    }
    if (!row || row.h !== this.told) return;
    const asked = row.h === this.asked;
    this.settled();
    if (asked) this.verdict.textContent = `✓ ${words.asked}`;
    this.row = row;
    this.schedule();
  }

  refuse(error) {
    this.message.textContent = `${error instanceof Refusal ? "" : `${error.name}: `}${error.message}. ${this.sheet.words.stays}`;
    this.sync();
  }

  // --- the pointer ---

  place(event) {
    const box = this.svg.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  press(event) {
    if (event.button !== 0) return;
    this.figure.setPointerCapture(event.pointerId);
    this.dragging = true;
    this.show(null);
    this.drag(event);
  }

  drag(event) {
    const row = this.nearest(this.scale.h(this.place(event)[0]));
    if (row !== this.row) this.go(row);
  }

  move(event) {
    if (this.dragging) { this.drag(event); return; }
    const [x, y] = this.place(event);
    const near = this.points.map((point) => ({ ...point, far: Math.hypot(point.x - x, point.y - y) })).filter(({ far }) => far < NEAR);
    this.show(near.length ? near.reduce((best, point) => (point.far < best.far ? point : best)) : null);
  }

  /** What a point of a line stands for, in numbers; null for none. */
  show(point) {
    const { words, names } = this.sheet;
    this.mark.setAttribute("class", point ? `bp-mark ${FORMULA_COLORS[point.i]}` : "bp-mark bp-none");
    if (point) for (const [name, value] of [["cx", point.x], ["cy", point.y]]) this.mark.setAttribute(name, value.toFixed(1));
    const found = point?.row.formulas[point.i];
    this.tip.textContent = point ? `${names[point.i]}, h = ${point.row.text}: ${words.number} ${found.digits.join("")}, ${words.error} ${found.size}, ${found.said}` : words.drag;
  }

  // --- drawing ---

  schedule() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => { try { this.draw(); } catch (error) { this.refuse(error); } });
  }

  draw() {
    const { words } = this.sheet;
    this.row.formulas.forEach((found, i) => {
      this.write(this.numbers[i].digits, found.digits, ["", "bp-wrong"]);
      this.numbers[i].said.replaceChildren(html("span", {}, found.said), " ", html("span", { class: "bp-size" }, `${words.error} ${found.size}`));
      found.parts.forEach((part, k) => this.write(this.parts[i].digits[k], part, ["bp-cancels", ""]));
      this.parts[i].note.textContent = found.note;
    });
    this.drawLine();
    this.sync();
  }

  /** A number in its pieces, what it shares with another and what it does not, each marked in its way. */
  write(node, parts, marks) {
    const pieces = (parts ?? ["", this.sheet.words.none, ""]).map((text, k) => [text, [...marks, "bp-power"][k]]);
    node.replaceChildren(...pieces.filter(([text]) => text).map(([text, mark]) => html("span", parts && mark ? { class: mark } : {}, text)));
  }

  /** Bring the controls to the step; what is being typed is left alone. */
  sync() {
    const { names } = this.sheet, { h, text, formulas } = this.row;
    this.range.value = String(this.rows.indexOf(this.nearest(h)));
    this.range.setAttribute("aria-valuetext", `h = ${text}: ${names.map((name, i) => `${name}, ${formulas[i].said}`).join("; ")}`);
    if (this.typing) return;
    this.field.value = plain(h);
    this.field.removeAttribute("aria-invalid");
  }

  /** Draw the plot anew where its width has changed. */
  resize() {
    for (const [node, label] of this.scrolled) {
      const over = node.scrollWidth > node.clientWidth;
      for (const [name, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", label]]) if (over) node.setAttribute(name, value); else node.removeAttribute(name);
    }
    const width = Math.max(260, Math.floor(this.figure.clientWidth)), height = this.root.clientWidth < WIDE ? HIGH : HIGHER;
    if (width === this.width) return;
    this.width = width;
    const { words, names } = this.sheet, scale = this.scale = scales(width, height, this.rows.flatMap((row) => row.formulas.map(({ error }) => error)).filter((error) => error !== null));
    this.points = this.rows.flatMap((row) => names.map((_, i) => ({ row, i })).filter(({ i: k }) => row.formulas[k].error !== null).map(({ i: k }) => ({ row, i: k, ...this.at(row, k) })));
    const texts = this.sheet.guides.map(({ h, error, text, side }) => ["text", { class: "bp-guide", x: (scale.x(h) + BESIDE[side][0]).toFixed(1), y: (scale.y(error) + BESIDE[side][1]).toFixed(1), "text-anchor": side === "left" ? "end" : "start" }, text]);
    const [, look, ...runs] = this.axis;
    const lines = [2, 1, 0].map((i) => ["g", { class: FORMULA_COLORS[i] }, ["path", { class: `bp-line bp-line${i}`, d: this.path(i) }], ...this.dots(i)]);
    this.svg = build(["svg", { viewBox: `0 0 ${width} ${height}`, width: String(width), height: String(height), class: "bp-plane" },
      ...this.ticks(), ["text", { ...look, x: "4", y: "16", "text-anchor": "start", class: "bp-axisname" }, ...runs],
      ["text", { x: String(scale.right), y: String(height - 6), "text-anchor": "end", class: "bp-axisname bp-slanted" }, "h"],
      ...lines, ...texts, ["g", { class: "bp-now" }], ["circle", { class: "bp-mark bp-none", r: "7" }]]);
    this.svg.setAttribute("role", "img"); this.svg.setAttribute("aria-label", words.plot);
    this.now = this.svg.querySelector(".bp-now"); this.mark = this.svg.querySelector(".bp-mark");
    this.figure.replaceChildren(this.svg);
    const title = this.svg.querySelector(".bp-axisname"); // its first letters are no help
    if (title.getComputedTextLength() > width - 8) title.textContent = words.relative;
    this.drawLine();
  }

  /** Where the error of a formula stands; an error of 0 at the rim, in a lane of the formula's own. */
  at(row, i) {
    const { error } = row.formulas[i], { scale } = this;
    return { x: scale.x(row.h), y: error === 0 ? scale.bottom - 3 - 6 * i : scale.y(error) };
  }

  /** A formula's line, which ends where there is no error, or where it is exactly 0. */
  path(i) {
    let open = false;
    return this.rows.map((row) => {
      const { error } = row.formulas[i], drawn = error !== null && error > 0;
      const { x, y } = drawn ? this.at(row, i) : {}, sign = open ? "L" : "M";
      open = drawn;
      return drawn ? `${sign}${x.toFixed(1)} ${y.toFixed(1)}` : "";
    }).join("");
  }

  dots(i) {
    return this.points.filter((point) => point.i === i).map(({ x, y, row }) => ["circle", { class: row.formulas[i].error === 0 ? "bp-dot bp-exact" : "bp-dot", cx: x.toFixed(1), cy: y.toFixed(1), r: "2" }]);
  }

  ticks() {
    const { scale } = this, found = [], wide = scale.x(10) - scale.x(1) || scale.x(1) - scale.x(0.1), every = wide * 2 < 44 ? 4 : 2;
    for (let k = FIRST_DECADE; k <= LAST_DECADE; k++) {
      const x = scale.x(10 ** k), long = k % every === 0;
      found.push(["path", { class: "bp-tick", d: `M${x.toFixed(1)} ${scale.bottom}v${long ? 6 : 3}` }]);
      if (long) found.push(["text", { class: "bp-label", x: x.toFixed(1), y: String(scale.bottom + 19), "text-anchor": "middle" }, power(k)]);
    }
    for (let k = LOWEST + 1; k <= scale.top; k++) {
      const y = scale.y(10 ** k), long = k % 4 === 0;
      found.push(["path", { class: long ? "bp-tick bp-across" : "bp-tick", d: `M${FRAME.left} ${y.toFixed(1)}${long ? `H${scale.right}` : "h-3"}` }]);
      if (long) found.push(["text", { class: "bp-label", x: String(FRAME.left - 7), y: (y + 4).toFixed(1), "text-anchor": "end" }, power(k)]);
    }
    if (scale.rim) found.push(["text", { class: "bp-label", x: String(FRAME.left - 7), y: String(scale.bottom - 5), "text-anchor": "end" }, this.sheet.words.rim], ["path", { class: "bp-tick", d: `M${FRAME.left} ${scale.bottom - FRAME.rim + 6}H${scale.right}` }]);
    return [...found, ["path", { class: "bp-axis", d: `M${FRAME.left} ${FRAME.top}V${scale.bottom}H${scale.right}` }]];
  }

  /** The line at h, and where it meets the others. */
  drawLine() {
    const { row, scale } = this, x = scale.x(row.h), left = x > (FRAME.left + scale.right) / 2;
    const discs = row.formulas.map((found, i) => [found, i]).filter(([found]) => found.error !== null).reverse().map(([, i]) => {
      const { y } = this.at(row, i);
      return ["circle", { class: `bp-disc ${FORMULA_COLORS[i]}`, cx: x.toFixed(1), cy: y.toFixed(1), r: String(4 + 2 * (i === 2)) }];
    });
    const parts = [["path", { class: "bp-cut", d: `M${x.toFixed(1)} ${FRAME.top}V${scale.bottom}` }], ["rect", { class: "bp-grip", x: (x - 5).toFixed(1), y: String(FRAME.top - 8), width: "10", height: "18", rx: "3" }], ...discs,
      ["text", { class: "bp-here", x: (x + (left ? -9 : 9)).toFixed(1), y: String(FRAME.top + 5), "text-anchor": left ? "end" : "start" }, `h = ${row.text}`]];
    this.now.replaceChildren(...parts.map((part) => build(part, SVG)));
  }
}
