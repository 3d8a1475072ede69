// What the page of a graph shows besides picture, chains and plots: panels, each folded until it is asked for.

const TICK = 160, MOST_BARS = 64, SMALL = 8; // milliseconds between two updates; bars; parameters that each have a box
const LAND = { LEFT: 58, TOP: 12, width: 300, height: 150 };
const LINE = { width: 180, height: 34 };

/** A part of the page below its chains. `title()`, `compose()` for what stays while numbers move, `draw()` for the numbers. */
class Panel {
  constructor(page, name) {
    this.page = page; this.name = name; this.words = page.sheet.words;
    this.head = html("summary", { "data-lm-suppress-shortcuts": "true" });
    this.body = html("div", { class: "bp-inside" });
    this.node = html("details", { class: "bp-panel", "data-panel": name }, this.head, this.body);
    page.listen(this.node, "toggle", () => { if (!this.node.open) { this.composed = null; this.body.replaceChildren(); } page.schedule(); });
  }

  reveals = true; // numbers that the page may have to hide

  /** Whether there is anything to show. */
  get wanted() { return true; }
  get key() { const { output, wrt } = this.page.state; return `${output} ${wrt}`; }
  ask(changes) { this.page.change(changes); }
  /** End what moves by itself. */
  stop() { clearTimeout(this.timer); }
  /** The output's name, of a batch that of its mean or sum over all rows. */
  get whole() { const { output, rows } = this.page.state; return rows.length ? `${output}_B` : output; }
  /** Which row is meant, where there are several. */
  get ofRow() { const { rows, example } = this.page.state; return rows.length ? `, X[${example}]` : ""; }
  /** The derivative of the output over all rows by a quantity, as a fraction. */
  slope(wrt) {
    const { state, sheet, terms } = this.page, { output, rows } = state, [, , name] = sheet.math.names[output];
    if (!rows.length) return this.page.chain.quotient(output, wrt, terms.has(joined([output, wrt])) ? "d" : "∂");
    return build(fraction({ ...sheet.math.names, [output]: ["math", {}, ["msub", {}, name, ["mi", { mathvariant: "normal" }, "B"]]] }, [output, wrt], "d"));
  }

  refresh() {
    this.node.hidden = !this.wanted || this.reveals && this.page.veiled;
    if (this.node.hidden) return;
    const title = this.title();
    if (this.head.textContent !== title) this.head.textContent = title;
    if (!this.node.open) return;
    if (this.key !== this.composed) { this.compose(); this.composed = this.key; }
    this.draw();
  }

  button(name, act) {
    const node = html("button", { type: "button", "data-lm-suppress-shortcuts": "true" }, this.words[name] ?? name);
    this.page.listen(node, "click", act);
    return node;
  }

  /** A field for a number of the state; what is no number above 0 is refused. */
  field(name, label) {
    const node = html("input", { type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false", "aria-label": label, "data-state": name, "data-lm-suppress-shortcuts": "true" });
    const enter = () => {
      if (!node.dataset.typing) return;
      delete node.dataset.typing;
      if (!this.page.change({ [name]: typed(node.value) })) this.fill(node);
    };
    this.page.listen(node, "input", () => { node.dataset.typing = "true"; });
    this.page.listen(node, "keydown", (event) => { if (event.key === "Enter") enter(); });
    this.page.listen(node, "blur", () => { enter(); delete node.dataset.typing; this.page.schedule(); });
    return node;
  }

  fill(field) {
    if (field.dataset.typing) return;
    const text = number(this.page.state[field.dataset.state]);
    if (field.value !== text) field.value = text;
    field.removeAttribute("aria-invalid");
  }
}

/** Signed bars below each other: [name as a node, number, words], blue to the left below zero, red to the right above. */
function bars(rows) {
  const most = Math.max(...rows.map(([, value]) => Math.abs(value)), Number.MIN_VALUE);
  return html("div", { class: "bp-bars", role: "list" }, ...rows.map(([name, value, words, look = ""]) => {
    const bar = html("span", { class: `bp-bar ${value < 0 ? "bp-below" : "bp-above"}` });
    bar.style.width = `${50 * Math.abs(value) / most}%`;
    bar.style[value < 0 ? "right" : "left"] = "50%";
    const figure = html("span", { class: "bp-number" }, written(value));
    figure.title = String(value);
    return html("div", { class: `bp-row ${look}`, role: "listitem" }, html("span", { class: "bp-what" }, name), html("span", { class: "bp-track", "aria-hidden": "true" }, bar), figure, html("span", { class: "bp-route" }, words));
  }));
}

/** Axes with ticks and a clipped area for what stands between them. */
function frame({ LEFT, TOP, RIGHT = 14, width, height }, ...inside) {
  return build(["svg", { viewBox: `0 0 ${LEFT + width + RIGHT} ${TOP + height + 22}`, class: "bp-plot bp-wide" },
    ["g", { class: "bp-ticks" }], ["path", { class: "bp-axis", d: `M${LEFT} ${TOP}V${TOP + height}H${LEFT + width}` }],
    ["svg", { x: String(LEFT), y: String(TOP), width: String(width), height: String(height), class: "bp-area" }, ...inside]]);
}

function ticks(svg, { LEFT, TOP, height }, across, up) {
  const texts = [...across.map(([u, label]) => ["text", { x: (u + LEFT).toFixed(1), y: String(TOP + height + 17), "text-anchor": "middle" }, label]), ...up.map(([v, label]) => ["text", { x: String(LEFT - 5), y: (v + TOP + 4).toFixed(1), "text-anchor": "end" }, label])];
  const key = JSON.stringify(texts);
  if (svg.firstChild.dataset.key !== key) { svg.firstChild.replaceChildren(...texts.map((text) => build(text, SVG))); svg.firstChild.dataset.key = key; }
}

const line = (points) => points.length ? "M" + points.map(([x, y]) => `${x.toFixed(1)} ${Math.max(-BEYOND, Math.min(BEYOND, y)).toFixed(1)}`).join("L") : "";

// --- the update ----------------------------------------------------------------------------------------------------

/** The parameters take steps against the gradient; the loss is drawn as it falls. */
class Update extends Panel {
  get key() { return `${this.page.state.output} ${this.page.sheet.inputs.length > SMALL ? this.page.state.wrt : ""}`; }
  title() { const { losses } = this.page.state; return this.words.update + (losses.length ? `: ${filled(this.words.losses, { output: this.whole, count: losses.length - 1 })} ${written(losses.at(-1))}` : ""); }

  compose() {
    this.rate = this.field("rate", this.words.rate);
    this.run = this.button("play", () => (this.playing ? this.stop() : this.play()));
    this.pass = html("input", { type: "checkbox", id: `${this.page.id}-pass`, "data-lm-suppress-shortcuts": "true" });
    this.rule = html("div", { class: "bp-rule" });
    this.plot = frame(LAND, ["path", { class: "bp-curve" }], ["circle", { class: "bp-point", r: "4" }]);
    this.plot.setAttribute("role", "img");
    this.body.replaceChildren(
      html("div", { class: "bp-head" }, html("label", {}, `${this.words.rate} `, this.rate), this.button("once", () => this.advance()), this.run, this.button("restart", () => { this.stop(); this.page.restart(); }),
        html("label", { for: this.pass.id }, this.pass, ` ${this.words.withpass}`)),
      this.choices(), this.rule, this.plot);
  }

  /** What is moved: a box for each parameter, of many a choice between all and the one that is asked for. */
  choices() {
    const { sheet, state } = this.page, movable = sheet.inputs.filter((name) => !sheet.data.includes(name));
    const inputs = sheet.inputs.length <= SMALL ? sheet.inputs : [];
    this.boxes = new Map(inputs.map((name) => [name, html("input", { type: "checkbox", "aria-label": `${this.words.moves}: ${name}`, "data-lm-suppress-shortcuts": "true" })]));
    for (const box of this.boxes.values()) this.page.listen(box, "change", () => {
      if (!this.page.change({ parameters: inputs.filter((name) => this.boxes.get(name).checked) })) box.checked = true;
    });
    if (inputs.length) return html("div", { class: "bp-head" }, `${this.words.moves}: `, ...[...this.boxes].map(([name, box]) => html("label", {}, box, " ", this.page.math(sheet.math.names[name]))));
    this.which = html("select", { "aria-label": this.words.moves, "data-lm-suppress-shortcuts": "true" }, html("option", { value: "all" }, this.words.everything), html("option", { value: "one" }, filled(this.words.chosen, { wrt: state.wrt })));
    this.page.listen(this.which, "change", () => this.ask({ parameters: this.which.value === "all" ? movable : [this.page.state.wrt] }));
    return html("div", { class: "bp-head" }, html("label", {}, `${this.words.moves}: `, this.which));
  }

  draw() {
    const { state, sheet } = this.page, { losses, parameters, wrt, rate } = state;
    this.fill(this.rate);
    for (const [name, box] of this.boxes) box.checked = parameters.includes(name);
    if (this.which) { this.which.value = parameters.length === 1 ? "one" : "all"; this.which.lastChild.disabled = !sheet.inputs.includes(wrt); }
    this.run.textContent = this.playing ? this.words.pause : this.words.play;
    const name = sheet.inputs.includes(wrt) ? wrt : null, slope = name === null ? undefined : this.page.totals().gradient.get(wrt);
    if (slope === undefined || !parameters.includes(name) || this.page.state.step < this.page.computation.seen(state).steps) this.rule.replaceChildren();
    else this.rule.replaceChildren(this.page.math(sheet.math.names[wrt]), " − ", this.words.rate, " · ", this.slope(wrt), ` = ${written(state.numbers[wrt])} − ${written(rate)} · ${factor(slope)} = ${written(state.numbers[wrt] - rate * slope)}`);
    this.drawLosses(losses);
  }

  drawLosses(losses) {
    this.plot.style.display = losses.length ? "" : "none";
    if (!losses.length) return;
    const low = Math.min(...losses, 0), high = Math.max(...losses), tall = high - low || 1, count = Math.max(10, losses.length - 1);
    const points = losses.map((loss, i) => [i / count * LAND.width, (1 - (loss - low) / tall * 0.94) * LAND.height]);
    const [curve, point] = this.plot.lastChild.children;
    curve.setAttribute("d", line(points));
    point.setAttribute("cx", points.at(-1)[0].toFixed(1)); point.setAttribute("cy", points.at(-1)[1].toFixed(1));
    this.plot.setAttribute("aria-label", this.title());
    ticks(this.plot, LAND, [0, 0.5, 1].map((t) => [t * LAND.width, short(t * count)]), [0, 0.5, 1].map((t) => [(1 - t * 0.94) * LAND.height, compact(low + t * tall)]));
  }

  /** One update, or, with the pass, one step of it; false where it was refused. */
  advance() {
    const { page, pass } = this, { step } = page.state;
    if (pass.checked && step < page.computation.seen(page.state).steps) return page.change({ step: step + 1 });
    return page.update() && (!pass.checked || page.change({ step: 0 }));
  }

  /** One update a tick, or one step of the pass; where motion is unwelcome ten updates at once. */
  play() {
    if (plainly()) { this.page.update(10); return; }
    this.playing = true;
    const tick = () => {
      if (!this.playing) return;
      if (!this.page.veiled && (!this.page.visible || this.advance())) this.timer = setTimeout(tick, TICK * (this.pass.checked ? 3 : 1)); else this.stop();
    };
    tick();
  }

  stop() {
    clearTimeout(this.timer);
    this.playing = false;
    this.page.schedule();
  }
}

// --- the loss itself -----------------------------------------------------------------------------------------------

/** The output over the quantity asked for, with its tangent; the point of an input can be dragged. */
class Landscape extends Panel {
  title() {
    const { output, wrt, rows } = this.page.state, whole = !rows.length || this.page.totals().gradient.has(wrt);
    return filled(this.words.landscape, { output: whole ? this.whole : output, wrt }) + (whole ? "" : this.ofRow);
  }

  compose() {
    const { wrt } = this.page.state, moves = this.page.sheet.inputs.includes(wrt);
    this.plot = frame(LAND, ["path", { class: "bp-curve" }], ["path", { class: "bp-drop c0" }], ["path", { class: "bp-tangent c0" }], ["circle", { class: "bp-point c0", r: "6" }]);
    this.plot.setAttribute("role", "img");
    this.plot.classList.toggle("bp-drags", moves);
    if (moves) {
      const drag = (event) => {
        const box = this.plot.getBoundingClientRect(), scale = box.width / (LAND.LEFT + LAND.width + 14), limit = this.page.limits.get(wrt);
        const u = ((event.clientX - box.left) / scale - LAND.LEFT) / LAND.width * 2 - 1;
        this.page.change({ numbers: { [wrt]: Number(number(Math.max(-1, Math.min(1, u)) * limit, 4)) } }, false, wrt);
      };
      this.page.listen(this.plot, "pointerdown", (event) => { this.plot.setPointerCapture(event.pointerId); this.held = true; drag(event); event.preventDefault(); });
      this.page.listen(this.plot, "pointermove", (event) => { if (this.held) drag(event); });
      for (const end of ["pointerup", "pointercancel"]) this.page.listen(this.plot, end, () => { this.held = false; });
    }
    this.body.replaceChildren(this.plot, ...(moves ? [html("div", { class: "bp-route" }, filled(this.words.drag, { wrt }))] : []));
  }

  draw() {
    const { page } = this, { wrt, output, rows } = page.state, here = page.result.trace.get(wrt), limit = page.limits.get(wrt) ?? reach(here), total = page.totals();
    const whole = rows.length && total.gradient.has(wrt), slope = whole ? total.gradient.get(wrt) : page.computation.walk(page.result.terms, output).get(wrt);
    const own = whole ? (x) => page.computation.totals({ ...page.state, numbers: { ...page.state.numbers, [wrt]: x } }).value : null;
    const values = (xs) => (own ? xs.map((x) => { try { return own(x); } catch { return NaN; } }) : page.computation.over(output, wrt, page.result.trace, xs));
    const count = own ? 61 : POINTS, xs = Array.from({ length: count }, (_, i) => limit * (2 * i / (count - 1) - 1)), ys = values(xs), value = whole ? total.value : page.result.trace.get(output);
    const known = [...ys.filter(Number.isFinite), value], low = Math.min(...known), tall = Math.max(...known) - low || 1, room = 0.06;
    const px = (u) => (u / limit + 1) * LAND.width / 2, py = (v) => (1 - room - (v - low) / tall * (1 - 2 * room)) * LAND.height;
    const [curve, drop, tangent, point] = this.plot.lastChild.children, rise = slope / tall * (1 - 2 * room) * LAND.height, run = LAND.width / 2 / limit;
    const long = 70 / Math.hypot(run, rise), [x, y] = [px(here), py(value)];
    curve.setAttribute("d", pieces(xs, ys.map(py), (u) => py(values([u])[0]), LAND.height).map((piece) => line(piece.map(([u, v]) => [px(u), v]))).join(""));
    tangent.setAttribute("d", line([[x - long * run, y + long * rise], [x + long * run, y - long * rise]]));
    drop.setAttribute("d", line([[x, y], [x, LAND.height]]));
    point.setAttribute("cx", x.toFixed(1)); point.setAttribute("cy", y.toFixed(1));
    this.plot.setAttribute("aria-label", `${this.title()}, ${this.words.slope} ${number(slope)} ${this.words.at} ${wrt} = ${number(here)}`);
    ticks(this.plot, LAND, named(px, [-1, -0.5, 0, 0.5, 1].map((t) => t * limit)), [0, 0.5, 1].map((t) => [py(low + t * tall), compact(low + t * tall)]));
  }
}

// --- the nudge -----------------------------------------------------------------------------------------------------

/** h is added to the quantity asked for, and what that does travels to the output, line by line. */
class Nudge extends Panel {
  get key() { const { output, wrt, nudge, numbers, example } = this.page.state; return JSON.stringify([output, wrt, nudge, numbers, example]); }
  title() { return filled(this.words.nudge, { wrt: this.page.state.wrt }) + this.ofRow; }

  compose() {
    clearTimeout(this.timer);
    if (!this.h?.isConnected) {
      this.h = this.field("nudge", this.words.h);
      this.rows = html("div", { class: "bp-nudge", tabindex: "0", role: "region", "aria-label": this.title(), "data-lm-suppress-shortcuts": "true" });
      this.body.replaceChildren(html("div", { class: "bp-head" }, html("label", {}, `${this.words.h} = `, this.h), this.button("go", () => this.travel())), this.rows);
    }
    this.rows.replaceChildren();
  }

  draw() { this.fill(this.h); }

  /** The rows appear one after the other; all at once where motion is unwelcome. */
  travel() {
    clearTimeout(this.timer);
    this.rows.replaceChildren();
    const found = this.found(), show = (i) => {
      if (i >= found.length) return;
      this.rows.append(this.row(found[i], i, found));
      if (plainly()) show(i + 1); else this.timer = setTimeout(() => show(i + 1), 450);
    };
    show(0);
  }

  /** Every quantity on the way from the nudged one to the output: before, after, and what the terms predict. */
  found() {
    const { computation, result, state } = this.page, { output, wrt, nudge } = state, way = computation.between(output, wrt), on = new Set(way.flat());
    const place = new Map(computation.edges.map((edge, i) => [joined(edge), i])), after = new Map(result.trace), predicted = new Map([[wrt, nudge]]), rows = [];
    after.set(wrt, after.get(wrt) + nudge);
    rows.push({ name: wrt, before: result.trace.get(wrt), change: nudge, uses: [] });
    for (const name of computation.programs.keys()) {
      if (!on.has(name) || name === wrt) continue;
      const program = computation.programs.get(name), uses = way.filter(([of]) => of === name);
      after.set(name, computation.slots(program, program.uses.map((use) => after.get(use)))[program.value]);
      predicted.set(name, uses.reduce((sum, edge) => sum + result.terms[place.get(joined(edge))] * predicted.get(edge[1]), 0));
      rows.push({ name, before: result.trace.get(name), change: after.get(name) - result.trace.get(name), predicted: predicted.get(name), uses, terms: uses.map((edge) => result.terms[place.get(joined(edge))]), changes: uses.map(([, use]) => after.get(use) - result.trace.get(use)) });
    }
    return rows;
  }

  row({ name, before, change, predicted, uses, terms, changes }, i, all) {
    const { page, words } = this, most = Math.max(...all.flatMap((row) => [Math.abs(row.change), Math.abs(row.predicted ?? 0)])) || 1, long = LINE.width / 2 - 12;
    const at = (v) => LINE.width / 2 + v / most * long, mid = LINE.height / 2, color = uses.length === 1 ? `c${page.chain.colors.get(joined(uses[0]))}` : "";
    const svg = build(["svg", { viewBox: `0 0 ${LINE.width} ${LINE.height}`, class: "bp-plot bp-number-line", width: String(LINE.width), height: String(LINE.height) },
      ["path", { class: "bp-axis", d: `M4 ${mid}H${LINE.width - 4}M${LINE.width / 2} ${mid - 6}V${mid + 6}` }], ["path", { class: `bp-tangent ${color}`, d: `M${at(0)} ${mid}H${at(change).toFixed(1)}` }], ["circle", { class: `bp-point ${color}`, cx: at(change).toFixed(1), cy: String(mid), r: "4.5" }]]);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `${name} ${words.line} ${number(change)}`);
    const parts = [html("span", { class: "bp-what" }, page.math(page.sheet.math.names[name])), svg, html("span", {}, `${written(before)} → ${written(before + change)}`), html("span", { class: "bp-number" }, `${words.line} ${written(change)}`)];
    if (uses.length !== 1) parts.push(html("span", {}, uses.length ? `${words.terms} ${written(predicted)}` : ""));
    if (uses.length === 1) parts.push(html("span", { class: color }, `${words.ratio} ${written(change / changes[0])}, ${words.term} `, page.math(page.terms.get(joined(uses[0])).symbol), ` = ${written(terms[0])}`));
    if (i > 0 && i === all.length - 1) parts.push(html("strong", { class: "bp-end" }, `${words.estimate} ${written(predicted)}, ${words.exact} ${written(change)}`));
    return html("div", { class: "bp-step" }, ...parts);
  }
}

// --- the voices ----------------------------------------------------------------------------------------------------

/** A quantity that several lines use: each of them sends back its part of the gradient. */
class Voices extends Panel {
  get users() { const { computation, state } = this.page, reached = computation.below(state.output); return computation.edges.map((edge, i) => [edge, i]).filter(([[of, use]]) => use === state.wrt && reached.has(of)); }
  get done() { const { computation, state } = this.page, { walked } = computation.seen(state); return this.users.every(([[of]]) => walked.has(of)); }
  get wanted() { return this.users.length > 1 && this.done; }
  title() { return filled(this.words.voices, { wrt: this.page.state.wrt }); }
  compose() {}

  draw() {
    const { computation, result, state, sheet } = this.page, gradient = computation.walk(result.terms, state.output), users = this.users.slice(0, MOST_BARS);
    const rows = users.map(([[of], i]) => [this.page.chain.quotient(state.output, of, "∂"), gradient.get(of) * result.terms[i], `${factor(gradient.get(of))} · ${factor(result.terms[i])}`]);
    for (const row of rows.keys()) rows[row][0] = html("span", {}, rows[row][0], " · ", this.page.math(this.page.terms.get(joined(users[row][0])).symbol));
    this.body.replaceChildren(html("div", { class: "bp-route" }, filled(this.words.voice, { wrt: state.wrt, count: this.users.length })), bars([...rows, [this.words.total, gradient.get(state.wrt), "", "bp-whole"]]));
  }
}

// --- the batch -----------------------------------------------------------------------------------------------------

/** What each row of a batch adds to the gradient of the parameter asked for. */
class Batch extends Panel {
  constructor(page, name) { super(page, name); this.node.open = page.state.rows.length > 0; }
  get wanted() { return this.page.state.rows.length > 0; }
  get key() { return String(this.page.state.rows.length); }
  title() { const { state } = this.page; return `${this.words.batch}: ${filled(this.words.batchloss, { whole: this.whole, output: state.output, reduction: this.words[`by ${state.reduction}`] })} = ${written(this.page.totals().value)}`; }

  compose() {
    const most = this.page.state.rows.length - 1;
    this.chosen = html("input", { type: "range", min: "0", max: String(most), step: "1", "aria-label": this.words.example, "data-lm-suppress-shortcuts": "true" });
    this.which = html("output", {});
    this.page.listen(this.chosen, "input", () => this.ask({ example: Number(this.chosen.value) }));
    this.shares = html("div", {});
    this.body.replaceChildren(html("div", { class: "bp-head" }, html("label", {}, `${this.words.example} `, this.chosen), this.which), this.shares);
  }

  draw() {
    const { state, computation } = this.page, { output, wrt, example, reduction } = state, { gradient, shares, own } = this.page.totals();
    this.chosen.value = String(example);
    this.chosen.setAttribute("aria-valuetext", `X[${example}]`);
    this.which.textContent = `X[${example}]`;
    const finished = state.step === computation.seen(state).steps;
    if (!gradient.has(wrt) || !finished) { this.shares.replaceChildren(); return; }
    const rows = shares(wrt).map((value, i) => [`X[${i}]`, value, "", i === example ? "bp-chosen" : ""]), extra = own.has(wrt) ? [[this.words.penalty, own.get(wrt), ""]] : [];
    this.shares.replaceChildren(html("div", { class: "bp-route" }, filled(this.words.each, { output: this.whole, wrt, reduction: this.words[`by ${reduction}`] })), bars([...rows, ...extra, [this.words.total, gradient.get(wrt), "", "bp-whole"]]));
  }
}
