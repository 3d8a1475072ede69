// Predict first: a number that is hidden until somebody has guessed it.

const SAME = 1e-12; // of a number: what counts as no change
const DERIVATIVE = /^(d|∂)([^/]+)\/\1(.+)$/u;

/** Hides the derivative that the state names, and what could be divided out of, until there is a guess; then says how near it was. */
class Guessing {
  constructor(page) {
    this.page = page; this.words = page.sheet.words;
    this.what = html("span", { class: "bp-what" });
    this.ways = WAYS.map((way) => this.button(this.words[way], () => this.guess(way)));
    this.field = html("input", { type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false", "aria-label": this.words.orvalue, "data-lm-suppress-shortcuts": "true" });
    page.listen(this.field, "keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); this.take(); } });
    this.asks = html("div", { class: "bp-head" }, this.what, html("span", {}, this.words.hidden), ...this.ways, html("label", {}, `${this.words.orvalue} `, this.field), this.button(this.words.guess, () => this.take()));
    this.anew = this.button(this.words.anew, () => { page.change({ guess: null }); this.asks.hidden = false; this.ways[0].focus(); });
    this.said = html("span", { role: "status" });
    this.size = html("div", { class: "bp-route" }, this.words.size);
    this.node = html("section", { class: "bp-asking bp-guess", "aria-label": this.words.predictfirst });
    this.inside = [html("strong", {}, this.words.predictfirst), this.asks, html("div", { class: "bp-head" }, this.said, this.anew), this.size];
  }

  button(text, act) { const node = html("button", { type: "button", "data-lm-suppress-shortcuts": "true" }, text); this.page.listen(node, "click", act); return node; }

  /** Take a guess; the keyboard goes on at what may be done next. */
  guess(guess) { if (this.page.change({ guess })) { this.refresh(); this.anew.focus(); } }

  take() {
    const value = typed(this.field.value);
    if (!(Math.abs(value) <= LARGEST)) { this.field.setAttribute("aria-invalid", "true"); throw new Refusal(`${this.words.guess}: ${this.words.notnumber}`); }
    this.field.removeAttribute("aria-invalid");
    this.guess(value);
    this.field.value = "";
  }

  get asked() { const { predict } = this.page.state, found = predict && DERIVATIVE.exec(predict); return found ? { sign: found[1], of: found[2], wrt: found[3], edge: this.page.terms.has(`${found[2]}:${found[3]}`) } : null; }

  /** The derivative that is asked for, from the terms' numbers. */
  value({ sign, of, wrt }, terms) {
    const { computation } = this.page;
    return sign === "∂" ? terms[computation.edges.findIndex((edge) => edge[0] === of && edge[1] === wrt)] : computation.walk(terms, of).get(wrt);
  }

  /** The slots of the hidden number and of those that come from it: the same as Python's. */
  get slots() {
    const { asked, page: { computation, state } } = this, slots = new Set();
    if (!asked || state.guess !== null) return slots;
    const { of, wrt, edge } = asked;
    if (edge) for (const kind of "tfr") slots.add(`${kind}:${of}:${wrt}`);
    if (state.output !== of && !(edge && computation.below(state.output).has(of))) return slots;
    const names = computation.below(wrt);
    for (const name of names) for (const kind of "gde") slots.add(`${kind}:${name}`);
    if (names.has(state.wrt)) { slots.add("s:").add("o:"); computation.paths(state.output, state.wrt).first.forEach((_, k) => slots.add(`p:${k}`).add(`q:${k}`)); }
    return slots;
  }

  hides(of, wrt) { const { slots } = this; return slots.has(`f:${of}:${wrt}`) || of === this.page.state.output && slots.has(`d:${wrt}`); }

  refresh() {
    const { asked, page } = this, { state } = page;
    offer(this.node, this.inside, asked !== null && state.blind !== true);
    if (!asked) return;
    const { sign, of, wrt, edge } = asked, twofold = edge && sign === "d" && page.computation.paths(of, wrt).count > 1;
    if (this.shown !== state.predict) { this.what.replaceChildren(page.chain.quotient(of, wrt, twofold ? "d" : "∂")); this.shown = state.predict; }
    this.asks.hidden = state.guess !== null; this.anew.hidden = !this.asks.hidden; this.size.hidden = this.asks.hidden;
    const said = state.guess === null ? "" : WAYS.includes(state.guess) ? this.judged(asked) : this.near(asked);
    if (this.said.textContent !== said) this.said.textContent = said;
  }

  /** What came of "grow", "shrink" or "same" since it was said. */
  judged(asked) {
    const { page: { state, result, computation }, words } = this, moved = JSON.stringify(state.guessed_at) !== JSON.stringify(state.numbers);
    const was = this.value(asked, computation.run(state.guessed_at).terms), now = this.value(asked, result.terms), apart = Math.abs(now) - Math.abs(was);
    const did = Math.abs(apart) <= SAME * Math.abs(was) ? "same" : apart > 0 ? "grow" : "shrink", texts = { guess: words[state.guess], was: written(was), now: written(now) };
    return moved ? filled(words.judged, { ...texts, mark: did === state.guess ? words.right : words.wrong, did: words[{ grow: "grew", shrink: "shrank", same: "stayed" }[did]] }) : filled(words.nowmove, texts);
  }

  /** How far a guessed number is from the true one. */
  near(asked) {
    const { page: { state, result }, words } = this, now = this.value(asked, result.terms), off = Math.abs(state.guess - now), texts = { guess: written(state.guess), now: written(now), off: written(off) };
    return off === 0 ? filled(words.hit, texts) : filled(words.off, { ...texts, share: now === 0 ? words.ofzero : filled(words.share, { percent: short(100 * off / Math.abs(now), 2) }) });
  }
}
PARTS.push(Guessing);
