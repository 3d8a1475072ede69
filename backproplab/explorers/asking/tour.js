// A tour: sentences that lead through the page. They and what they wait for are data of the sheet; nothing of them is run.

const SIGNS = new Map([[">", (a, b) => a > b], ["<", (a, b) => a < b], [">=", (a, b) => a >= b], ["<=", (a, b) => a <= b], ["=", (a, b) => a === b]]);

/** One sentence at a time, what it speaks of lit; it goes on when the learner has done what it waits for. */
class Tour {
  constructor(page) {
    this.page = page; this.words = page.sheet.words;
    this.at = html("span", { class: "bp-route" });
    this.say = html("p", { role: "status" });
    this.waits = html("span", { class: "bp-route" });
    const button = (text, act) => { const node = html("button", { type: "button", "data-lm-suppress-shortcuts": "true" }, text); page.listen(node, "click", act); return node; };
    this.back = button(this.words.tourback, () => this.go(page.state.sentence - 1));
    this.next = button(this.words.tournext, () => this.go(page.state.sentence + 1));
    this.end = button(this.words.tourend, () => this.go(this.steps.length));
    this.again = button(this.words.touragain, () => this.go(0));
    this.node = html("section", { class: "bp-asking bp-tour", "aria-label": this.words.tour });
    this.inside = [this.say, html("div", { class: "bp-head" }, this.at, this.back, this.next, this.waits, this.again, this.end)];
  }

  get steps() { return this.page.sheet.tour; }
  get step() { return this.steps[this.page.state.sentence]; }

  go(sentence) {
    const focused = this.node.contains(document.activeElement);
    if (this.page.change({ sentence: Math.max(0, Math.min(this.steps.length, sentence)) }) && focused) { this.refresh(); if (document.activeElement === document.body || document.activeElement.hidden) (this.step ? this.next : this.again).focus(); }
  }

  /** Something was done: whether what the sentence waits for has now come true; where it is true from the start, the button goes on. */
  acted(done) {
    const { step, met } = this, { sentence } = this.page.state, entered = this.entered !== sentence;
    this.entered = sentence;
    this.met = Boolean(step?.until.length) && step.until.every((condition) => this.holds(condition, done));
    if (this.met && !met && !entered && !("sentence" in done)) this.page.change({ sentence: sentence + 1 });
  }

  holds([kind, name, sign, number], done) {
    const { state, result } = this.page, setting = name === "updates" ? state.losses.length - 1 : state[name];
    if (kind === "number") return SIGNS.get(sign)(result.trace.get(name), number);
    if (kind === "setting") return SIGNS.get(sign)(setting, number);
    if (kind === "is") return state[name] === sign;
    if (kind === "click") return done.click === name;
    if (kind === "move") return done.moved?.includes(name) ?? false;
    return kind === "guess" && state.guess !== null;
  }

  asks([kind, name, sign, number]) {
    const { words } = this, word = { number: "waitnumber", setting: "waitnumber", click: "waitclick", move: "waitmove", is: "waitis", guess: "waitguess" }[kind];
    return filled(words[word], kind === "is" ? { name: sign, what: words[`setting${name}`] } : { name: words[name] && kind === "setting" ? words[name] : name, sign: { ">=": "≥", "<=": "≤" }[sign] ?? sign, value: number === undefined ? "" : written(number) });
  }

  refresh() {
    const { page, words, steps, step } = this, { sentence } = page.state;
    if (this.entered !== sentence) this.acted({});
    const waits = Boolean(step?.until.length) && !this.met;
    offer(this.node, this.inside, steps.length > 0);
    if (!steps.length) return;
    const say = step ? step.say : words.tourover;
    if (this.say.textContent !== say) this.say.textContent = say;
    this.at.textContent = step ? filled(words.tourat, { at: sentence + 1, count: steps.length }) : "";
    this.waits.textContent = waits ? filled(words.waits, { what: step.until.map((condition) => this.asks(condition)).join(words.and) }) : "";
    this.next.textContent = waits ? words.tourskip : words.tournext;
    this.back.hidden = !sentence || !step; this.next.hidden = this.end.hidden = !step; this.again.hidden = Boolean(step);
    for (const node of page.root.querySelectorAll(".bp-told")) node.classList.remove("bp-told");
    for (const name of step?.light ?? []) for (const node of this.told(name)) node.classList.add("bp-told");
  }

  /** The parts of the page that show a quantity, or a term of:wrt. */
  told(name) {
    const { parts, controls, root } = this.page;
    if (!this.page.terms.has(name)) return [...(parts.get(`n:${name}`) ?? []), ...(controls.has(name) ? [controls.get(name).row] : [])];
    return [...[..."et"].flatMap((kind) => parts.get(`${kind}:${name}`) ?? []), ...root.querySelectorAll(`.bp-factor[data-term="${CSS.escape(name)}"], .bp-figure[data-term="${CSS.escape(name)}"]`)];
  }
}
PARTS.push(Tour);
