// The page of a graph: fills the picture's slots and redraws the curves while a slider moves. No framework, no markup from strings.

const PLACES = 80, MOST_MOVES = 1000, MOST_LOSSES = 1000, MOST_SAID = 160;
const cut = (text, most) => (text.length > most ? `${text.slice(0, most)}…` : text);

const WAYS = ["grow", "shrink", "same"], ONE_MOVE = 1000; // milliseconds in which the keys of one slider are one move
const TOWARDS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
let count = 0;

/** The live page in `host`. `bridge.moved(state)` hears of each state at rest; `bridge` may be left out. */
export class Page {
  constructor(host, sheet, state, bridge = {}) {
    this.host = host; this.sheet = sheet; this.bridge = bridge; this.id = `bp${++count}`;
    this.computation = new Computation(sheet);
    this.first = structuredClone(state.numbers);
    this.limits = new Map(sheet.inputs.map((name) => [name, reach(state.numbers[name])]));
    this.root = html("div", { class: "bp-page" });
    this.terms = new Map(this.computation.edges.map((edge, i) => [joined(edge), { ...sheet.math.terms[i], symbol: fraction(sheet.math.names, edge) }]));
    this.state = structuredClone(state);
    this.begin = structuredClone(state.rows);
    this.result = this.computation.run(this.state.numbers);
    this.abort = new AbortController();
    this.alone = !bridge.moved;
    this.build();
    host.append(this.root);
    this.visible = true;
    this.observer = new IntersectionObserver((entries) => { this.visible = entries.at(-1).isIntersecting; if (this.visible && this.stale) this.schedule(); });
    this.observer.observe(this.root);
    this.draw();
  }

  dispose() {
    for (const panel of this.panels) panel.stop();
    this.abort.abort(); this.observer.disconnect(); clearTimeout(this.rest); cancelAnimationFrame(this.frame); this.root.remove();
  }

  listen(node, event, act) {
    node.addEventListener(event, (happened) => {
      try { act(happened); } catch (error) { this.refuse(error); }
    }, { signal: this.abort.signal });
  }

  math(element) { return element ? build(element) : document.createTextNode(""); }

  build() {
    const words = this.sheet.words;
    this.of = html("select", { id: `${this.id}-of` });
    for (const line of this.sheet.outputs) this.of.append(html("option", { value: line }, line));
    this.wrt = html("select", { id: `${this.id}-wrt` });
    this.listen(this.of, "change", () => this.change({ output: this.of.value }));
    this.listen(this.wrt, "change", () => this.change({ wrt: this.wrt.value }));
    this.buttons = Object.fromEntries(Object.keys(ICONS).map((name) => {
      const button = html("button", { type: "button", "aria-label": words[name], title: words[name], "data-lm-suppress-shortcuts": "true" }, icon(ICONS[name]));
      this.listen(button, "click", () => this.change({ step: this.target(name) }));
      return [name, button];
    }));
    this.reset = html("button", { type: "button", class: "bp-reset" }, words.reset);
    this.listen(this.reset, "click", () => this.restart());
    for (const node of [this.of, this.wrt, this.reset]) node.setAttribute("data-lm-suppress-shortcuts", "true");
    this.verdict = html("span", { class: "bp-verdict", role: "status" });
    const head = html("div", { class: "bp-head" },
      html("label", { for: this.of.id }, words.of), this.of, html("label", { for: this.wrt.id }, words.wrt), this.wrt,
      html("span", { class: "bp-steps", role: "group", "aria-label": words.steps }, ...Object.values(this.buttons)), this.reset, this.verdict);
    this.message = html("div", { class: "bp-message", role: "alert" });
    this.knobs = html("div", { class: "bp-knobs" });
    this.controls = new Map();
    this.status = html("div", { class: "bp-status", "aria-live": "polite" });
    this.layers = this.sheet.layers ? new Layers(this, this.sheet.layers) : null;
    this.picture = html("div", { class: "bp-picture", tabindex: "0", role: "region", "aria-label": words.picture, "data-lm-suppress-shortcuts": "true" }, build(this.sheet.picture));
    if (this.layers) this.picture.append(this.layers.node);
    this.tip = html("div", { class: "bp-tip" });
    this.chain = new Chain(this);
    this.plots = new Plots(this);
    this.table = html("details", { class: "bp-all" }, html("summary", { "data-lm-suppress-shortcuts": "true" }, words.all));
    this.listen(this.table, "toggle", () => this.fillTable());
    this.sharing = new Sharing(this);
    this.panels = [new Batch(this, "batch"), new Voices(this, "voices"), new Update(this, "update"), new Landscape(this, "landscape"), new Nudge(this, "nudge")];
    const asking = PARTS.map((Part) => new Part(this));
    this.panels.push(...asking.filter((part) => part instanceof Panel));
    this.asking = asking.filter((part) => !(part instanceof Panel));
    const notes = this.sheet.notes.map((note) => html("p", { class: "bp-note" }, note));
    this.root.append(head, ...this.asking.filter(({ control }) => !control).map(({ node }) => node), html("div", { class: "bp-body" }, this.knobs, html("div", { class: "bp-main" }, html("div", { class: "bp-says" }, this.status, this.message), this.picture, this.tip, ...notes, this.switches(), ...this.asking.filter(({ control }) => control).map(({ node }) => node), this.chain.node, ...this.panels.map(({ node }) => node), this.plots.node, this.table, this.sharing.node)));
    this.parts = new Map();
    const units = this.picture.firstChild;
    for (const node of units.querySelectorAll("[data-mark]")) {
      const mark = node.getAttribute("data-mark");
      if (mark) { node.dataset.base = node.getAttribute("class") ?? ""; this.parts.set(mark, [...(this.parts.get(mark) ?? []), node]); }
    }
    this.slots = new Map();
    this.collect(units, "picture");
    for (const node of units.querySelectorAll("[data-pick]")) {
      const name = node.getAttribute("data-pick");
      node.setAttribute("role", "button"); node.setAttribute("tabindex", "0"); node.setAttribute("data-lm-suppress-shortcuts", "true");
      const choose = () => { this.act({ click: name }); if (this.computation.choices(this.state.output).includes(name)) this.change({ wrt: name }); else this.say(name === this.state.output ? `${name} ${words.itself}.` : `${name}: ${words.nopath} ${this.state.output}.`); };
      this.listen(node, "click", choose);
      this.listen(node, "keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(); } else if (event.key in TOWARDS) { event.preventDefault(); this.towards(node, ...TOWARDS[event.key])?.focus(); } });
      for (const [event, shown] of [["pointerenter", true], ["pointerleave", false], ["focus", true], ["blur", false]]) this.listen(node, event, () => { this.tipped = shown ? name : null; this.drawTip(); });
    }
    for (const mark of this.computation.edges.map(joined)) for (const kind of "ebt") for (const node of this.parts.get(`${kind}:${mark}`) ?? []) this.hover(node, mark);
  }

  /** The nearest quantity of the picture in a direction. */
  towards(node, dx, dy) {
    const middle = (other) => { const { left, top, width, height } = other.getBoundingClientRect(); return [left + width / 2, top + height / 2]; }, [x, y] = middle(node);
    const ahead = [...this.picture.firstChild.querySelectorAll("[data-pick]")].map((other) => [other, ...middle(other)]).map(([other, u, v]) => [other, (u - x) * dx + (v - y) * dy, Math.abs((u - x) * dy) + Math.abs((v - y) * dx)]);
    return ahead.filter(([, along, aside]) => along > 4 && aside <= 2 * along).sort((a, b) => a[1] + 2 * a[2] - b[1] - 2 * b[2])[0]?.[0];
  }

  /** Collect the slots of a part of the page, so that filling looks nothing up. */
  collect(root, owner) {
    for (const node of root.querySelectorAll("[data-slot]")) {
      const slot = node.getAttribute("data-slot");
      this.slots.set(slot, [...(this.slots.get(slot) ?? []), { node, owner }]);
    }
  }

  drop(owner) {
    for (const [slot, nodes] of this.slots) this.slots.set(slot, nodes.filter((entry) => entry.owner !== owner));
  }

  /** One term shows itself everywhere while the pointer is on it anywhere. */
  hover(node, term) {
    const light = (on) => { for (const other of this.root.querySelectorAll(`[data-term="${CSS.escape(term)}"]`)) other.classList.toggle("bp-hover", on); for (const kind of "ebt") for (const part of this.parts.get(`${kind}:${term}`) ?? []) part.classList.toggle("bp-hover", on); };
    this.listen(node, "pointerenter", () => { light(true); this.pointed = term; this.drawTip(); });
    this.listen(node, "pointerleave", () => { light(false); this.pointed = null; this.drawTip(); });
  }

  /** A quantity in words, as far as it is known. */
  words(name, precision = 6) {
    const far = this.computation.seen(this.state), known = !this.computation.programs.has(name) || far.computed.has(name);
    const gradient = far.turned && !far.unfinished.has(name) && !this.hides(this.state.output, name) ? this.computation.walk(this.result.terms, this.state.output, far.walked).get(name) : undefined;
    return name + (known ? ` = ${number(this.result.trace.get(name), precision)}` : "") + (gradient === undefined ? "" : `, d${this.state.output}/d${name} = ${number(gradient, precision)}`);
  }

  drawTip() { this.tip.textContent = this.tipped ? this.words(this.tipped, 17) : this.pointed ? this.edgeWords(this.pointed) : ""; }

  /** A term in words, as far as the walk has come, and what flows back along its edge. */
  edgeWords(term) {
    const { edges } = this.computation, i = edges.findIndex((edge) => joined(edge) === term), [of, wrt] = edges[i], far = this.computation.seen(this.state);
    const gradient = far.turned ? this.computation.walk(this.result.terms, this.state.output, far.walked) : new Map();
    if (!far.walked.has(of) || !gradient.has(of) || [wrt, this.computation.carried.get(term)].some((name) => this.hides(this.state.output, name))) return "";
    const flow = this.computation.flows(this.result.terms, gradient, () => true)[i];
    return `d${of}/d${wrt} = ${number(this.result.terms[i], 17)}; ${this.sheet.words.width}: ${number(flow)}`;
  }

  /** Whether a derivative must not be seen yet. */
  hides(of, wrt) { return this.asking.some((part) => part.hides?.(of, wrt)); }
  get hidden() { return this.asking.find((part) => part.slots)?.slots ?? new Set(); }
  get veiled() { return this.hidden.size > 0; }
  /** Tell those who wait for it what the learner has done. */
  act(done) { for (const part of this.asking) part.acted?.(done); }

  say(words) { this.message.textContent = words; }

  refuse(error) {
    const why = this.state.blind === true && error.blindly || error.message; // a line of the graph would tell what is to be found
    this.say(`${error instanceof Refusal ? "" : error.name + ": "}${why}. ${this.sheet.words.stays}`);
    this.sync();
  }

  target(button) {
    const { steps } = this.computation.seen(this.state), { step } = this.state;
    return { first: 0, back: Math.max(0, step - 1), next: Math.min(steps, step + 1), last: steps }[button];
  }

  /** The state with changes, checked, or a refusal: nothing has changed then. */
  changed({ numbers = {}, ...changes }, goes = false) {
    const { words, inputs, data } = this.sheet, old = this.state;
    for (const [name, value] of Object.entries(numbers)) if (!(Math.abs(value) <= LARGEST)) throw new Refusal(`${name}: ${words.notnumber}`);
    if ("rate" in changes && !(changes.rate > 0 && changes.rate <= LARGEST)) throw new Refusal(`${words.rate}: ${words.notpositive}`);
    if ("nudge" in changes && !(changes.nudge !== 0 && Math.abs(changes.nudge) <= LARGEST)) throw new Refusal(`${words.h}: ${words.notzero}`);
    if ("parameters" in changes && !(changes.parameters.length && changes.parameters.every((name) => inputs.includes(name)))) throw new Refusal(words.nothingmoves);
    if ("example" in changes && !(changes.example === 0 || old.rows[changes.example])) throw new Refusal(`${words.example}: 0 … ${Math.max(0, old.rows.length - 1)}`);
    const state = { ...old, ...changes }, choices = this.computation.choices(state.output), shown = state.rows.length ? Object.fromEntries(data.map((name, i) => [name, state.rows[state.example][i]])) : {};
    state.numbers = { ...old.numbers, ...shown, ...numbers };
    if (state.rows.length) state.rows = state.rows.map((row, i) => (i === state.example ? data.map((name) => state.numbers[name]) : row));
    state.wrt = choices.includes(state.wrt) ? state.wrt : choices[0];
    const whole = !("step" in changes) && old.step === this.computation.seen(old).steps; // what was walked to its end stays so
    state.step = whole ? this.computation.seen(state).steps : Math.max(0, Math.min(state.step, this.computation.seen(state).steps));
    if (!("losses" in changes) && this.outdates(old, state)) state.losses = [];
    return { ...state, ...this.remembered(old, state, changes, goes), ...changes, step: state.step, wrt: state.wrt, rows: state.rows };
  }

  /** What a change leaves behind: the numbers before it, a guess that is of another state, one more move of a blind page; one that `goes` on is no new move. */
  remembered(old, state, changes, goes) {
    const moved = JSON.stringify(old.numbers) !== JSON.stringify(state.numbers), row = this.sheet.inputs.filter((name) => !this.sheet.data.includes(name)).map((name) => state.numbers[name]), kept = {};
    if (moved && !goes) kept.before = old.numbers;
    if (state.predict !== old.predict || moved && !WAYS.includes(state.guess)) Object.assign(kept, { guess: null, guessed_at: null });
    if ("guess" in changes) kept.guessed_at = WAYS.includes(state.guess) ? state.numbers : null;
    if (state.blind === true && old.blind !== true) kept.way = [row];
    else if (state.blind === null) kept.way = [];
    else if (state.blind && JSON.stringify(row) !== JSON.stringify(old.way.at(-1))) kept.way = [...old.way.slice(0, goes && old.way.length > 1 ? -1 : MOST_MOVES), row];
    return kept;
  }

  /** Whether losses of the old state say nothing of the new one. */
  outdates(old, state) {
    const moved = this.sheet.inputs.some((name) => !(state.rows.length && this.sheet.data.includes(name)) && old.numbers[name] !== state.numbers[name]);
    return moved || old.output !== state.output || JSON.stringify([old.rows, old.parameters]) !== JSON.stringify([state.rows, state.parameters]);
  }

  /** Output and gradient over all examples, at the state's numbers; kept until they change. */
  totals() {
    const key = JSON.stringify([this.state.numbers, this.state.rows, this.state.output]);
    if (key !== this.totalsOf) { this.totalled = this.computation.totals(this.state); this.totalsOf = key; }
    return this.totalled;
  }

  /** Steps p <- p - rate dL/dp of all parameters at once; false where one is not finite, and the numbers are those before it. */
  update(times = 1) {
    let state = this.state, losses = state.losses.length ? [...state.losses] : [this.totals().value], failed = null;
    for (let i = 0; i < times && !failed; i++) {
      try {
        const { gradient } = this.computation.totals(state);
        const moved = Object.fromEntries(state.parameters.map((name) => [name, state.numbers[name] - state.rate * (gradient.get(name) ?? 0)]));
        const next = this.changed({ ...state, numbers: { ...state.numbers, ...moved } }), { value } = this.computation.totals(next);
        if (!Number.isFinite(value)) throw new Refusal(`${state.output} ${this.sheet.words.is} ${value}`);
        losses = [...losses, value].slice(-MOST_LOSSES);
        state = { ...next, losses };
      } catch (error) { failed = error; }
    }
    if (state !== this.state) this.change({ numbers: state.numbers, losses }, true);
    if (failed) this.refuse(new Refusal(`${this.sheet.words.update}, ${this.sheet.words.rate} ${number(this.state.rate)}: ${cut(failed.message, MOST_SAID)}`));
    return !failed;
  }

  /** Back to the numbers that the page began with. */
  restart() {
    for (const panel of this.panels) panel.stop();
    const kept = Object.entries(this.first).filter(([name]) => !(this.begin.length && this.sheet.data.includes(name)));
    this.change({ numbers: Object.fromEntries(kept), rows: structuredClone(this.begin), losses: [] }, true);
  }

  /** How the chain is written, and whether edges are as wide as their gradient. */
  switches() {
    const { words } = this.sheet;
    this.glance = html("input", { type: "checkbox", id: `${this.id}-glance`, "data-lm-suppress-shortcuts": "true" });
    this.listen(this.glance, "change", () => this.change({ glance: this.glance.checked }));
    this.through = html("select", { "aria-label": words.chainas, "data-lm-suppress-shortcuts": "true" }, html("option", { value: "paths" }, words["all paths"]), html("option", { value: "delta" }, words.delta));
    this.listen(this.through, "change", () => this.change({ through: this.through.value }));
    this.view = html("select", { "aria-label": words.view, "data-lm-suppress-shortcuts": "true" }, html("option", { value: "units" }, words.units), html("option", { value: "layers" }, words.layers));
    this.listen(this.view, "change", () => this.change({ view: this.view.value }));
    return html("div", { class: "bp-head" }, ...(this.layers ? [html("label", {}, `${words.view}: `, this.view)] : []), html("label", { for: this.glance.id }, this.glance, ` ${words.glance}`), ...this.asking.flatMap(({ control }) => control ?? []), ...(this.sheet.deltas.length ? [html("label", {}, `${words.chainas}: `, this.through)] : []));
  }

  /** A control was moved: the new state, or what is wrong with it while the last good one stays. */
  change(changes, retype = false, held = null) {
    const goes = held !== null && held === this.held && (this.pressed || performance.now() - this.heldAt < ONE_MOVE);
    let state, result;
    try {
      state = this.changed(changes, goes);
      result = changes.numbers || "example" in changes ? this.computation.run(state.numbers) : this.result;
      if (state.rows.length && (changes.numbers || changes.rows)) this.computation.totals(state);
    } catch (error) {
      this.refuse(error);
      return false;
    }
    if (retype) for (const name of Object.keys(changes.numbers ?? {})) this.limits.set(name, reach(state.numbers[name]));
    const moved = Object.keys(changes.numbers ?? {}).filter((name) => this.state.numbers[name] !== state.numbers[name]);
    Object.assign(this, { state, result, held, heldAt: performance.now() });
    this.say("");
    this.schedule();
    this.tell();
    this.act({ ...changes, moved });
    return true;
  }

  /** A state that the kernel set. */
  receive(state) {
    if (JSON.stringify(state) === JSON.stringify(this.state)) return;
    this.change(state, true);
  }

  /** At rest, a tenth of a second after the last move, the kernel hears of the state. */
  tell() {
    clearTimeout(this.rest);
    this.rest = setTimeout(() => {
      const found = { trace: Object.fromEntries(this.result.trace), gradient: Object.fromEntries(this.computation.walk(this.result.terms, this.state.output)) };
      if (this.state.rows.length) found.totals = { value: this.totals().value, gradient: Object.fromEntries(this.totals().gradient) };
      this.bridge.moved?.(this.state, found);
    }, 100);
  }

  schedule() {
    this.stale = true;
    if (!this.visible) return;
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => { try { this.draw(); } catch (error) { this.refuse(error); } });
  }

  draw() {
    this.stale = false;
    this.found = facts(this.computation, this.result, this.state, this.hidden);
    const key = JSON.stringify([this.state.output, this.state.wrt, this.state.step, this.state.through, this.state.view, this.state.blind]);
    const composed = key !== this.drawn;
    if (composed) { this.compose(); this.drawn = key; }
    for (const [slot, nodes] of this.slots) {
      const text = this.found.text[slot] ?? (slot[0] === "v" || slot[0] === "g" || slot[0] === "t" ? "" : "?");
      for (const { node } of nodes) if (node.textContent !== text) node.textContent = text;
    }
    if (composed) this.status.style.minHeight = `${this.status.getBoundingClientRect().height}px`; // the picture below stays where it is
    for (const [mark, nodes] of this.parts) {
      const looks = this.found.mark[mark] ?? "";
      for (const node of nodes) { const wanted = `${node.dataset.base} ${looks}`.trim(); if (node.dataset.looks !== wanted) { node.setAttribute("class", wanted); node.dataset.looks = wanted; } }
    }
    for (const node of this.picture.firstChild.querySelectorAll("[data-pick]")) { node.setAttribute("aria-label", this.words(node.getAttribute("data-pick"))); node.setAttribute("aria-pressed", String(node.getAttribute("data-pick") === this.state.wrt)); }
    this.plots.draw();
    this.layers?.draw();
    for (const part of [...this.panels, ...this.asking]) part.refresh();
    this.drawTip();
    this.sync();
    for (const [node, name] of [[this.chain.node, "chain"], [this.plots.node, "plots"]]) { // what scrolls can be reached by keyboard
      if (node.scrollWidth > node.clientWidth) for (const [key, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", this.sheet.words[name]]]) node.setAttribute(key, value);
      else for (const key of ["tabindex", "role", "aria-label"]) node.removeAttribute(key);
    }
    if (this.table.open) this.fillTable();
  }

  /** The parts that depend on what is asked, not on numbers: selects, knobs, chains, plots. */
  compose() {
    const { output, wrt } = this.state, choices = this.computation.choices(output);
    this.wrt.replaceChildren(...choices.map((name) => html("option", { value: name }, name)));
    const tuned = this.state.blind === true ? this.sheet.inputs.filter((name) => !this.sheet.data.includes(name)) : [...this.sheet.knobs, wrt];
    const knobs = this.sheet.inputs.filter((name) => tuned.includes(name));
    if (knobs.join() !== [...this.controls.keys()].join()) this.composeKnobs(knobs);
    this.composeStatus();
    this.chain.compose();
    this.plots.compose();
  }

  composeKnobs(names) {
    this.controls = new Map(names.map((name) => [name, this.knob(name)]));
    this.knobs.replaceChildren(...[...this.controls.values()].map(({ row }) => row));
  }

  knob(name) {
    const range = html("input", { type: "range", min: String(-PLACES), max: String(PLACES), step: "1", "aria-label": name, "data-input": name, "data-lm-suppress-shortcuts": "true" });
    const field = html("input", { type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false", "aria-label": `${name}, ${this.sheet.words.typed}`, "data-input": name, "data-lm-suppress-shortcuts": "true" });
    const ends = html("span", { class: "bp-ends" });
    this.listen(range, "input", () => this.change({ numbers: { [name]: Number(number(range.value * this.limits.get(name) / PLACES)) } }, false, name));
    for (const [event, pressed] of [["pointerdown", true], ["pointerup", false], ["pointercancel", false]]) this.listen(range, event, () => { this.pressed = pressed; this.held = null; });
    const enter = () => {
      if (this.typing !== name) return;
      this.typing = null;
      if (!this.change({ numbers: { [name]: typed(field.value) } }, true)) { this.typing = name; field.setAttribute("aria-invalid", "true"); }
    };
    this.listen(field, "input", () => { this.typing = name; });
    this.listen(field, "keydown", (event) => { if (event.key === "Enter") enter(); });
    this.listen(field, "blur", () => { enter(); this.typing = null; this.sync(); });
    const row = html("div", { class: "bp-knob" }, html("span", { class: `bp-name${name.split(/[_\d]/)[0].length > 3 ? " bp-long" : ""}` }, this.math(this.sheet.math.names[name])), range, field, ends);
    return { row, range, field, ends };
  }

  /** Bring the controls to the state. */
  sync() {
    const { state } = this;
    this.of.value = state.output;
    this.wrt.value = state.wrt;
    this.glance.checked = state.glance;
    this.through.value = state.through;
    this.view.value = state.view;
    if (this.through.parentNode) this.through.parentNode.hidden = state.view === "layers";
    for (const [name, { range, field, ends }] of this.controls) {
      const value = state.numbers[name], limit = this.limits.get(name), shown = number(value);
      field.title = String(value);
      range.value = String(Math.round(value / limit * PLACES));
      range.setAttribute("aria-valuetext", number(value));
      if (this.typing !== name) { // what is being typed is left alone
        if (field.value !== shown) field.value = shown;
        field.removeAttribute("aria-invalid");
      }
      ends.textContent = `−${number(limit)} … ${number(limit)}`;
    }
    for (const [name, button] of Object.entries(this.buttons)) button.setAttribute("aria-disabled", String(this.target(name) === state.step));
  }

  composeStatus() {
    this.drop("status");
    const { words, math } = this.sheet, far = this.computation.seen(this.state);
    const lead = far.back ? `${words.backward}, ${far.back} / ${far.backward}: ${words.through} ` : `${words.forward}, ${far.at} / ${this.computation.passes.length}: `;
    const tensors = this.layers && this.state.view === "layers" ? this.layers.tensorsOf(far.current) : null;
    const body = tensors ? tensors.flatMap((name, i) => [i ? ", " : "", this.math(this.sheet.layers.names[name])]) : far.current.length === 0 ? [words.inputs] : far.current.slice(0, 3).flatMap((line, i) => [i ? ", " : "", this.math(far.back ? math.lines[line] : math.filled[line])]);
    this.status.replaceChildren(lead, ...body, far.current.length > 3 && !tensors ? ", …" : "");
    this.collect(this.status, "status");
  }

  fillTable() {
    for (const old of this.table.querySelectorAll("table")) old.remove();
    if (!this.table.open) return;
    const { words } = this.sheet, far = this.computation.seen(this.state), known = (name) => !this.computation.programs.has(name) || far.computed.has(name);
    const gradient = far.turned ? this.computation.walk(this.result.terms, this.state.output, far.walked) : new Map();
    const cell = (value) => { const td = html("td", {}, value === undefined ? "" : value === "?" ? value : written(value)); if (typeof value === "number") td.title = String(value); return td; };
    const rows = this.computation.names.filter(known).map((name) => html("tr", {}, html("th", { scope: "row" }, html("span", { class: "bp-heard" }, name), html("span", { "aria-hidden": "true" }, this.math(this.sheet.math.names[name]))), cell(this.result.trace.get(name)), cell(far.unfinished.has(name) ? undefined : this.hides(this.state.output, name) ? "?" : gradient.get(name))));
    this.table.append(html("table", {}, html("thead", {}, html("tr", {}, ...[words.quantity, words.value, words.gradient].map((head) => html("th", { scope: "col" }, head)))), html("tbody", {}, ...rows)));
  }

  /** The kernel's word on the state at rest. */
  judge({ agrees, worst, error, rounding, kink = [] }) {
    const { words } = this.sheet;
    this.verdict.textContent = error ? `${words.kernelerror}: ${error}` : agrees ? `✓ ${words.agrees}${kink.length ? `; ${words.kink} ${kink.join(", ")}` : ""}` : rounding ? words.rounding : `${words.differs} ${worst}`;
    this.verdict.classList.toggle("bp-bad", Boolean(error || !agrees && !rounding));
  }
}
