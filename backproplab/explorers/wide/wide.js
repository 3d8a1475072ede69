// The page of a wide network: the kernel computes, the page asks it one move at a time and draws what it answers.

const PATIENCE = 3000, PACE = 120, AT_ONCE = 10, PLACE = /^([xyzab]|W)(\d*)((?:_\d+)+)$/;
const LOSS = { left: 8, top: 12, width: 300, height: 96 };

let count = 0;

/** The live page in `host`. `bridge.moved(state, numbers, more)` sends a move and returns its turn; without it the page is a saved one. */
export class Page {
  constructor(host, sheet, state, bridge = {}) {
    this.host = host; this.sheet = sheet; this.bridge = bridge; this.id = `bpw${++count}`;
    this.tensors = new Map(sheet.tensors.map((tensor) => [tensor.name, tensor]));
    this.show = this.asks = "value"; this.view = null; this.pending = false; this.turns = []; this.queue = null;
    this.root = html("div", { class: "bp-page bp-wide" });
    this.abort = new AbortController();
    this.state = this.wanted = { ...state };
    this.build();
    host.append(this.root);
    this.visible = true;
    this.observer = new IntersectionObserver((entries) => { this.visible = entries.at(-1).isIntersecting; if (this.visible && this.stale) this.schedule(); });
    this.observer.observe(this.root);
    this.theme = new MutationObserver(() => this.schedule()); // the cells' colours are the theme's
    this.theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
    this.listen(matchMedia("(prefers-color-scheme: dark)"), "change", () => this.schedule());
    if (bridge.moved) this.ask();
    else this.unpack(sheet.saved);
  }

  dispose() {
    this.abort.abort(); this.observer.disconnect(); this.theme.disconnect(); this.stop(); cancelAnimationFrame(this.frame); this.root.remove();
  }

  listen(node, event, act) {
    node.addEventListener(event, (happened) => {
      try { act(happened); } catch (error) { this.refuse(error); }
    }, { signal: this.abort.signal });
  }

  // --- what there is to see -------------------------------------------------------------------------------------------

  build() {
    const { words, tensors, titles } = this.sheet, control = { "data-lm-suppress-shortcuts": "true" };
    const field = (label) => html("input", { type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false", "aria-label": `${label}, ${words.typed}`, ...control });
    const button = (text, act) => { const node = html("button", { type: "button", ...control }, text); this.listen(node, "click", act); return node; };
    this.slider = html("input", { type: "range", min: "1", max: String(this.sheet.examples), step: "1", "aria-label": words.example, ...control });
    this.listen(this.slider, "input", () => this.change({ example: this.slider.value - 1 }));
    [this.example, this.row, this.column, this.rate] = [words.example, words.row, words.column, words.rate].map(field);
    this.of = html("select", { "aria-label": words.entry, ...control }, ...tensors.map(({ name }) => html("option", { value: name }, name)));
    this.listen(this.of, "change", () => this.change({ wrt: this.of.value }));
    this.shows = html("select", { "aria-label": words.show, ...control }, ...["value", "gradient"].map((kind) => html("option", { value: kind }, words[kind])));
    this.listen(this.shows, "change", () => this.showing(this.shows.value));
    this.enters(this.example, () => ({ example: this.whole(this.example, words.example, this.sheet.examples) }));
    this.enters(this.rate, () => ({ rate: this.typedRate() }));
    for (const node of [this.row, this.column]) this.enters(node, () => this.typedEntry());
    this.update = button(words.update, () => this.ask({ update: 1 }));
    this.play = button("", () => this.playOrPause());
    this.reset = button(words.reset, () => { this.stop(); this.ask({ reset: true }); });
    this.verdict = html("span", { class: "bp-verdict", role: "status" });
    this.message = html("div", { class: "bp-message", role: "alert" });
    const group = (...nodes) => html("span", { class: "bp-group" }, ...nodes), said = (text) => html("span", { "aria-hidden": "true" }, text);
    const head = html("div", { class: "bp-head" }, group(said(words.example), this.slider, this.example), group(said(words.entry), this.of, said(words.row), this.row, said(words.column), this.column),
      group(said(words.show), this.shows), group(said(words.rate), this.rate, this.update, this.play, this.reset), this.verdict);
    this.heats = tensors.map((tensor) => new Heat(this, tensor));
    const layers = titles.map((title, layer) => html("div", { class: "bp-layer" }, html("div", { class: "bp-layername" }, title), html("div", { class: "bp-cards" }, ...this.heats.filter(({ tensor }) => tensor.layer === layer).map(({ card }) => card))));
    this.status = html("div", { class: "bp-status", "aria-live": "polite" });
    this.sum = new SumPanel(this);
    this.losses = html("section", { class: "bp-losses", "aria-label": words.loss_plot });
    const help = html("p", { class: "bp-note" }, this.bridge.moved ? words.help : `${words.help} ${words.saved}`);
    this.root.append(head, html("div", { class: "bp-says" }, this.status, this.message), help, html("div", { class: "bp-under" }, this.sum.node, this.losses), html("div", { class: "bp-layers", role: "group", "aria-label": words.layers }, ...layers));
    this.sync();
  }

  /** What is typed into a field is taken by Enter, or when the field is left. */
  enters(node, read) {
    const enter = () => {
      if (this.typing !== node) return;
      this.typing = null;
      try { this.change(read()); node.removeAttribute("aria-invalid"); } catch (error) { this.typing = node; node.setAttribute("aria-invalid", "true"); throw error; }
    };
    this.listen(node, "focus", () => node.select()); // what is typed takes the place of what stands there
    this.listen(node, "input", () => { this.typing = node; });
    this.listen(node, "keydown", (event) => { if (event.key === "Enter") enter(); });
    this.listen(node, "blur", () => { try { enter(); } finally { this.typing = null; node.removeAttribute("aria-invalid"); this.sync(); } });
  }

  whole(node, what, most) {
    const value = typed(node.value);
    if (!(Number.isInteger(value) && value >= 1 && value <= most)) throw new Refusal(this.sheet.words.noplace.replace("{what}", what).replace("{most}", most));
    return value - 1;
  }

  typedRate() {
    const rate = typed(this.rate.value);
    if (!(rate > 0 && rate <= LARGEST)) throw new Refusal(`${this.sheet.words.rate}: ${this.sheet.words.notnumber}`);
    return rate;
  }

  /** The entry that row and column name; one that is left empty is the first. */
  typedEntry() {
    const { words } = this.sheet, { tensor } = this.parts(this.wanted.wrt), [rows, columns] = matrix(tensor.shape);
    const read = (node, what, most) => (node.value.trim() === "" ? 0 : this.whole(node, what, most));
    const row = read(this.row, words.row, rows), column = read(this.column, words.column, columns);
    return this.chosenBy(tensor, [row, column]);
  }

  // --- names ----------------------------------------------------------------------------------------------------------

  /** Whether a tensor's rows are examples. */
  batched(tensor) { return !/^[Wb]/.test(tensor.name); }

  /** A name as its tensor and its entry, row and column from 0; null for a whole tensor. */
  parts(wrt, { example } = this.wanted) {
    const found = PLACE.exec(wrt), tensor = this.tensors.get(found ? (found[1] === "b" ? "b" : found[1].toUpperCase()) + found[2] : wrt);
    if (!tensor) throw new Refusal(this.sheet.words.strange);
    if (!found) return { tensor, at: null };
    const places = found[3].slice(1).split("_").map((index) => index - 1), at = places.length > 1 ? places : [this.batched(tensor) ? example : 0, places[0]], size = matrix(tensor.shape);
    if (at.some((place, axis) => !(place >= 0 && place < size[axis]))) throw new Refusal(this.sheet.words.strange);
    return { tensor, at };
  }

  nameOf(tensor, at) {
    if (!at) return tensor.name;
    return tensor.name[0] === "W" ? `${tensor.name}_${at[0] + 1}_${at[1] + 1}` : `${tensor.name.toLowerCase()}_${at[1] + 1}`;
  }

  chosenBy(tensor, at) { return { wrt: this.nameOf(tensor, at), ...(this.batched(tensor) ? { example: at[0] } : {}) }; }

  choose(tensor, at) { this.change(this.chosenBy(tensor, at)); }

  /** An entry in words: its name, its value, its gradient. */
  describe(tensor, at, value, gradient) {
    const { words } = this.sheet, name = this.nameOf(tensor, at), where = this.batched(tensor) ? ` ${words.of} ${at[0] + 1}` : "";
    return `${name}${where}${value === undefined ? "" : ` = ${written(value)}`}${gradient === undefined || gradient === null ? "" : `, dL/d${name} = ${written(gradient)}`}`;
  }

  indices(tensor, at) { return tensor.name[0] === "W" ? { j: at[0], i: at[1] } : this.batched(tensor) ? { n: at[0], j: at[1] } : { j: at[1] }; }

  filled(text, tensor, at, more) {
    const places = { ...this.indices(tensor, at), ...more };
    return text.replace(/\{([nkji])\}/g, (_, index) => String(places[index] + 1));
  }

  asked() {
    const { tensor, at } = this.parts(this.state.wrt, this.state);
    return { tensor, at, chosen: this.chosen };
  }

  // --- moves ----------------------------------------------------------------------------------------------------------

  say(words) { this.message.textContent = words; }

  refuse(error) {
    this.say(`${error instanceof Refusal ? "" : error.name + ": "}${error.message}. ${this.sheet.words.stays}`);
    this.sync();
  }

  /** A control was moved: the kernel is asked, or a saved page finds out itself. */
  change(changes) {
    const wanted = { ...this.wanted, ...changes };
    this.parts(wanted.wrt, wanted);
    this.wanted = wanted;
    if (this.bridge.moved) this.ask();
    else { this.say(""); this.state = wanted; this.chosen = this.found(); this.schedule(); }
    this.sync();
  }

  /** Values or gradients: drawn at once where the page holds both, else asked for. */
  showing(kind) {
    this.asks = kind;
    if (this.view?.kinds.includes(kind)) { this.show = kind; this.schedule(); this.sync(); }
    else this.ask();
  }

  /** One move is under way at a time; those made meanwhile go together as the next. */
  ask({ update = 0, reset = false } = {}) {
    this.say("");
    const asked = reset ? { update: 0, reset } : { update: (this.queue?.update ?? 0) + update, reset: this.queue?.reset ?? false };
    if (this.pending && performance.now() - this.sent < PATIENCE) { this.queue = asked; return; }
    this.queue = null; this.pending = true; this.sent = performance.now();
    this.turn = this.bridge.moved(this.wanted, undefined, { ...asked, has: this.view?.kinds.includes(this.asks) ? this.view.version : null, show: this.asks });
    this.turns[0] ??= this.turn;
  }

  /** The kernel's answer to a move; one that is not the latest is never drawn. */
  judge(message, buffers) {
    if (message.turn !== this.turn || !this.pending) return;
    this.pending = false;
    if (message.error) {
      this.queue = null;
      this.stop();
      this.wanted = this.state;
      this.refuse(new Refusal(`${this.sheet.words.kernelerror}: ${message.error}`));
      return;
    }
    if (this.queue) this.ask(this.take());
    this.accept(message, buffers);
  }

  take() { const asked = this.queue; this.queue = null; return asked; }

  /** What the kernel says unasked: a state that was set in code, or its answer to another page of the same explorer. */
  receive(_, message, buffers) {
    const own = message.turn !== undefined && message.turn >= this.turns[0] && message.turn <= this.turn;
    if (own || this.pending) return;
    if (!message.cells && message.version !== this.view?.version) this.ask(); // it was said to a page that has these cells
    else this.accept(message, buffers);
  }

  /** Draw an answer, once all of it is understood. */
  accept(message, buffers = []) {
    try {
      const read = this.read(message, buffers);
      Object.assign(this, read);
    } catch (error) {
      this.stop();
      this.wanted = this.state;
      this.refuse(error instanceof Refusal ? error : new Refusal(this.sheet.words.strange));
      return;
    }
    if (!this.pending) this.wanted = this.state;
    this.verdict.textContent = "";
    if (message.stopped) { this.say(String(message.stopped)); this.stop(); }
    this.sync();
    this.schedule();
    if (this.playing) this.tick();
  }

  /** An answer as what the page holds; nothing has changed when it is refused. */
  read({ state: shown, version, kinds, cells, chosen, losses }, buffers) {
    const { words } = this.sheet, fits = (holds) => { if (!holds) throw new Refusal(words.strange); };
    const doubles = numbersIn(buffers[0], Float64Array), finite = (value) => Number.isFinite(value);
    fits(Number.isInteger(shown.example) && shown.example >= 0 && shown.example < this.sheet.examples && shown.rate > 0 && finite(shown.rate) && typeof shown.wrt === "string");
    const state = { example: shown.example, wrt: shown.wrt, rate: shown.rate }, { at, tensor } = this.parts(state.wrt, state);
    fits(Array.isArray(kinds) && kinds.length && kinds.every((kind) => kind === "value" || kind === "gradient"));
    const found = cells ? cellsIn(cells, kinds, doubles, numbersIn(buffers[1], Uint32Array), this.sheet) : { cells: this.view?.cells, rest: doubles };
    fits(found.cells && Number.isInteger(version) && (cells || version === this.view.version));
    fits(Array.isArray(losses) && losses.length && losses.every((pair) => pair.length === 2 && pair.every(finite)));
    fits(!at === !chosen);
    let entry = null;
    if (at) {
      const { count } = chosen;
      fits(finite(chosen.value) && (chosen.gradient === null || finite(chosen.gradient)) && [chosen.slope, chosen.direct].every((value) => value === null || finite(value)));
      fits(found.rest.length === 2 * count && count === (tensor.recipe?.count ?? 0) && found.rest.every(finite));
      entry = { value: chosen.value, gradient: chosen.gradient, slope: chosen.slope, direct: chosen.direct, left: count ? found.rest.subarray(0, count) : null, right: found.rest.subarray(count) };
    }
    const holds = cells ? kinds : this.view.kinds;
    return { state, view: { version, kinds: holds, cells: found.cells }, show: holds.includes(this.asks) ? this.asks : holds[0], chosen: entry, path: losses };
  }

  // --- play -----------------------------------------------------------------------------------------------------------

  get still() { return matchMedia("(prefers-reduced-motion: reduce)").matches; }

  playOrPause() {
    if (this.still) this.ask({ update: AT_ONCE });
    else if (this.playing) this.stop();
    else { this.playing = true; this.ask({ update: 1 }); }
    this.sync();
  }

  /** The next update, not before the last one has been seen. */
  tick() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { if (this.visible) this.ask({ update: 1 }); else this.tick(); }, Math.max(0, PACE - (performance.now() - this.sent)));
  }

  stop() { clearTimeout(this.timer); this.playing = false; }

  // --- drawing --------------------------------------------------------------------------------------------------------

  /** Bring the controls to what is wanted. */
  sync() {
    const { words } = this.sheet, { tensor, at } = this.parts(this.wanted.wrt), set = (node, text) => { if (this.typing !== node && node.value !== text) node.value = text; };
    set(this.slider, String(this.wanted.example + 1)); set(this.example, String(this.wanted.example + 1)); set(this.rate, number(this.wanted.rate));
    this.of.value = tensor.name; this.shows.value = this.asks;
    set(this.row, at ? String(at[0] + 1) : ""); set(this.column, at ? String(at[1] + 1) : "");
    this.play.textContent = this.still ? words.many : this.playing ? words.pause : words.play;
    this.play.setAttribute("aria-pressed", String(Boolean(this.playing)));
    for (const node of [this.update, this.play, this.reset, this.rate]) node.disabled = !this.bridge.moved;
  }

  schedule() {
    this.stale = true;
    if (!this.visible) return;
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => { try { this.draw(); } catch (error) { this.refuse(error); } });
  }

  draw() {
    if (!this.view) return;
    this.stale = false;
    const colors = palette(this.root), { words } = this.sheet, [steps, loss] = this.path.at(-1);
    const key = JSON.stringify([this.view.version, this.show, colors]);
    if (key !== this.drawn) for (const heat of this.heats) heat.draw(colors);
    this.drawn = key;
    for (const heat of this.heats) heat.frame();
    this.status.textContent = `L = ${written(loss)}, ${steps ? words.after.replace("{count}", steps) : words.before}`;
    this.sum.draw(colors);
    this.drawLosses();
  }

  drawLosses() {
    const { path, sheet: { words } } = this, { left, top, width, height } = LOSS, values = path.map(([, loss]) => loss);
    const key = JSON.stringify(path);
    if (this.losses.dataset.key === key) return;
    this.losses.dataset.key = key;
    const [low, high] = [Math.min(...values), Math.max(...values)], last = path.at(-1)[0];
    const place = ([step, loss]) => [left + (last ? step / last : 0) * width, top + (high > low ? (high - loss) / (high - low) : 0.5) * height];
    const text = (x, y, anchor, content) => ["text", { x: String(x), y: String(y), "text-anchor": anchor }, content];
    const [x, y] = place(path.at(-1)).map((at) => at.toFixed(1));
    const svg = build(["svg", { viewBox: `0 0 ${width + 90} ${height + 36}`, width: String(width + 90), height: String(height + 36), class: "bp-plot" },
      ["path", { class: "bp-axis", d: `M${left} ${top}V${top + height}H${left + width}` }], ["path", { class: "bp-curve", d: "M" + path.map((pair) => place(pair).map((at) => at.toFixed(1)).join(" ")).join("L") }], ["circle", { class: "bp-point c3", cx: x, cy: y, r: "4" }],
      text(left + width + 8, top + 4 + (high > low ? 0 : height / 2), "start", number(high, 4)), ...(high > low ? [text(left + width + 8, top + height + 4, "start", number(low, 4))] : []), text(left, top + height + 18, "start", "0"), ...(last ? [text(left + width, top + height + 18, "end", String(last))] : [])]);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `${words.loss_plot}: ${number(values[0])} … ${number(values.at(-1))}, ${words.after.replace("{count}", last)}`);
    const open = this.losses.querySelector("details")?.open, list = html("details", { class: "bp-all" }, html("summary", { "data-lm-suppress-shortcuts": "true" }, words.all), html("div", { class: "bp-list" }, path.map(([step, loss]) => `${step}: ${written(loss)}`).join("; ")));
    list.open = Boolean(open);
    this.losses.replaceChildren(html("div", { class: "bp-route" }, words.loss_plot), svg, list);
  }

  // --- a saved page ---------------------------------------------------------------------------------------------------

  unpack({ message, buffers, contained }) {
    const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    this.contained = new Map(contained.map(({ of, kind, data }) => [`${of} ${kind}`, numbersIn(bytes(data), Float64Array)]));
    this.accept(message, buffers.map(bytes));
  }

  /** An entry's number, where the page holds it: of a tensor that stands there whole, or of a cell that shows it. */
  held(name, kind, [row, column]) {
    const { cells } = this.view, found = cells.get(name), place = row * matrix(this.tensors.get(name).shape)[1] + column, whole = this.contained.get(`${name} ${kind}`);
    if (whole) return whole[place];
    if (!found.pooled) return found.value[kind]?.[place];
    for (const by of ["value", "gradient"]) { const at = found[by]?.places?.indexOf(place) ?? -1; if (at >= 0) return found[by][kind]?.[at]; }
    return undefined;
  }

  /** The sum of the entry asked for, from what the page holds; `missing` where it does not hold enough. */
  found() {
    const { tensor, at } = this.parts(this.state.wrt, this.state);
    if (!at) return null;
    const { recipe } = tensor, value = this.held(tensor.name, "value", at), gradient = this.held(tensor.name, "gradient", at) ?? null;
    const lost = { value, gradient, slope: null, direct: null, left: null, right: null, missing: true };
    if (!recipe) return { ...lost, missing: false };
    if (recipe.sloped || !recipe.left.of) return lost;
    const places = this.indices(tensor, at), number = (part, t) => { const all = { ...places, [recipe.over]: t }; return part ? this.held(part.of, part.kind, part.at.map((index) => all[index])) : 1; };
    const [left, right] = [recipe.left, recipe.right].map((part) => Array.from({ length: recipe.count }, (_, t) => number(part, t)));
    const penalized = tensor.name[0] === "W" && this.sheet.l2 > 0;
    if ([...left, ...right, ...(penalized ? [value] : [])].some((found) => found === undefined)) return lost;
    const direct = penalized ? this.sheet.l2 * value : null, sum = left.reduce((all, first, t) => all + first * right[t], 0) + (direct ?? 0);
    return { value, gradient: gradient ?? sum, slope: null, direct, left, right };
  }
}
