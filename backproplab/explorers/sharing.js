// What is taken from the page: its state as an address or as a line of code, its chain as LaTeX; and the page enlarged for a class.

const SETTINGS = ["output", "wrt", "step", "rate", "nudge", "through", "view", "glance", "example"];
const WHOLE = /^\d{1,6}$/;

/** The state as text for an address: inputs by name, what else is set with a point before it. */
function addressOf({ state, begin, sheet }) {
  const asked = new URLSearchParams(Object.entries(state.numbers).map(([name, value]) => [name, String(value)]));
  for (const name of SETTINGS) asked.set(`.${name}`, String(state[name]));
  asked.set(".parameters", state.parameters.join(","));
  state.rows.forEach((row, i) => row.forEach((value, k) => { if (value !== begin[i][k]) asked.set(`${i}.${sheet.data[k]}`, String(value)); }));
  return asked.toString();
}

/** {changes, ignored}: what an address asks for, by name and number; what is neither is ignored, and named. */
function askedBy(text, { sheet, computation, state }) {
  const rows = structuredClone(state.rows), cell = (key) => { const [i, name] = key.split("."); return WHOLE.test(i) && i in rows && sheet.data.includes(name) ? [i, sheet.data.indexOf(name)] : null; };
  const changes = {}, numbers = {}, ignored = [];
  const one = { output: sheet.outputs, wrt: computation.names, through: ["paths", "delta"], view: sheet.layers ? ["units", "layers"] : ["units"], glance: ["true", "false"] };
  for (const [key, value] of new URLSearchParams(text)) {
    const name = key.startsWith(".") ? key.slice(1) : null;
    if (name === null && sheet.inputs.includes(key) && Math.abs(typed(value)) <= LARGEST) numbers[key] = typed(value);
    else if (cell(key) && Math.abs(typed(value)) <= LARGEST) { const [i, k] = cell(key); rows[i][k] = typed(value); changes.rows = rows; }
    else if (name === "parameters" && value.split(",").every((other) => sheet.inputs.includes(other))) changes.parameters = sheet.inputs.filter((other) => value.split(",").includes(other));
    else if (Object.hasOwn(one, name ?? "") && one[name].includes(value)) changes[name] = name === "glance" ? value === "true" : value;
    else if ((name === "step" || name === "example") && WHOLE.test(value)) changes[name] = Number(value);
    else if ((name === "rate" || name === "nudge") && (typed(value) > 0 || name === "nudge" && typed(value) < 0) && Math.abs(typed(value)) <= LARGEST) changes[name] = typed(value);
    else if (key || value) ignored.push(key.slice(0, 40) || "=");
  }
  const output = changes.output ?? state.output, { steps } = computation.seen({ output, step: 0 });
  if ("wrt" in changes && !computation.choices(output).includes(changes.wrt)) { delete changes.wrt; ignored.push(".wrt"); }
  if (changes.step > steps) { delete changes.step; ignored.push(".step"); }
  return { changes: Object.keys(numbers).length ? { ...changes, numbers } : changes, ignored };
}

/** The line of Python that sets an explorer to this state. */
function codeOf(state) {
  const numbers = Object.entries(state.numbers).map(([name, value]) => `${name}=${value}`);
  return `e.set(${[...numbers, `wrt="${state.wrt}"`, `output="${state.output}"`, `step=${state.step}`, `rate=${state.rate}`, ...(state.rows.length ? [`example=${state.example}`] : [])].join(", ")})`;
}

const inLatex = (shown) => shown.replaceAll("−", "-").replace(/·10([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)/, (_, power) => ` \\cdot 10^{${[...power].map((c) => "0123456789-"["⁰¹²³⁴⁵⁶⁷⁸⁹⁻".indexOf(c)]).join("")}}`);
const aligned = (rows) => `\\begin{aligned} ${rows.join(" \\\\ ")} \\end{aligned}`;

/** The chain that stands on the page in LaTeX: over paths, through delta, or in matrices. */
function latexOf(page) {
  if (page.layers && page.state.view === "layers") return layersLatex(page.layers);
  return page.state.through === "delta" && page.sheet.deltas.length ? deltaLatex(page) : pathsLatex(page);
}

/** The chain of a tensor, then each gradient on the way from the one above. */
function layersLatex({ graph, asked, sheet: { latex } }) {
  const way = graph.between("L", asked), names = [...new Set(way.map(([, use]) => use))].filter((name) => name !== asked);
  const d = ([of, wrt]) => `\\frac{\\partial ${latex[of][0]}}{\\partial ${latex[wrt][0]}}`;
  const single = graph.paths("L", asked).count === 1 ? [`${d(["L", asked])} &= ${way.map(d).join(" \\cdot ")}`] : [];
  return aligned([...single, ...[...names, asked].map((name) => latex[name][1])]);
}

/** A row for each delta on the way, in symbols and, as far as it is known, in numbers. */
function deltaLatex(page) {
  const { output } = page.state, { latex } = page.sheet.math, text = page.found.text, { way, names } = page.chain.deltaNames();
  const delta = (name) => latex[name].replace(/^z/, "\\delta"), known = (slot) => (text[slot] === undefined ? "?" : inLatex(text[slot]));
  const row = (name) => {
    const { users, inner, parts, many } = page.chain.deltaParts(name, way);
    const write = (term, above) => { const sum = parts.map((edge) => (edge[0] === output ? "" : `${above(edge[0])} \\cdot `) + term(edge)).join(" + "); return (many ? `\\left(${sum}\\right)` : sum) + (inner === null ? "" : ` \\cdot ${term(users[0])}`); };
    const left = `\\frac{\\partial ${latex[output]}}{\\partial ${latex[name]}}`, head = page.sheet.deltas.includes(name) ? `${delta(name)} = ${left}` : left;
    return `${head} &= ${write((edge) => page.terms.get(joined(edge)).latex, delta)} = ${write((edge) => known(`f:${joined(edge)}`), (of) => known(`e:${of}`))} = ${known(`d:${name}`)}`;
  };
  return aligned(names.map(row));
}

/** Each path in symbols, in formulas and, as far as it is known, in numbers. */
function pathsLatex(page) {
  const { output, wrt } = page.state, { latex } = page.sheet.math, { count, first } = page.computation.paths(output, wrt), text = page.found.text;
  const d = (edge) => `\\frac{\\partial ${latex[edge[0]]}}{\\partial ${latex[edge[1]]}}`, sum = (write) => first.map((path) => path.map(write).join(" \\cdot ")).join(" + ") + (count > first.length ? " + \\cdots" : "");
  const whole = text["s:"], rows = [sum(d), sum((edge) => page.terms.get(joined(edge)).latex)];
  if (whole !== undefined) rows.push(sum((edge) => inLatex(text[`f:${joined(edge)}`])), inLatex(whole));
  return `\\begin{aligned} ${d([output, wrt])} &= ${rows.join(" \\\\ &= ")} \\end{aligned}`;
}

/** The row of buttons below the page. */
class Sharing {
  constructor(page) {
    this.page = page; this.words = page.sheet.words;
    this.text = html("textarea", { readonly: "", rows: "3", "aria-label": this.words.copy, "data-lm-suppress-shortcuts": "true" });
    this.said = html("span", { role: "status" });
    this.given = html("div", { class: "bp-given" }, this.text);
    this.given.hidden = true;
    const take = page.alone ? ["link", () => `${location.href.split("#")[0]}#${addressOf(page)}`] : ["code", () => codeOf(page.state)];
    this.projector = this.button("project", () => this.project(!page.root.classList.contains("bp-projecting")));
    this.node = html("div", { class: "bp-head bp-sharing" }, this.button("latex", () => this.give(latexOf(page))), this.button(take[0], () => this.give(take[1]())), this.projector, this.said, this.given);
    page.listen(page.root, "keydown", (event) => this.key(event));
    if (page.alone) page.listen(document, "keydown", (event) => { if (!page.root.contains(event.target)) this.key(event); });
  }

  button(name, act) {
    const node = html("button", { type: "button", "data-lm-suppress-shortcuts": "true" }, this.words[name]);
    this.page.listen(node, "click", act);
    return node;
  }

  /** A text to copy: on the clipboard where the browser lets us, and in a field in any case. */
  give(text) {
    this.text.value = text;
    this.given.hidden = false;
    this.text.focus();
    this.text.select();
    this.said.textContent = "";
    navigator.clipboard?.writeText(text).then(() => { this.said.textContent = this.words.copied; }, () => {});
  }

  /** P enlarges the page and hides its controls, where the arrows step through the pass; P or Escape brings them back; not while the page is blind. */
  key(event) {
    const writes = event.target.closest?.("input[type=text]"), projecting = this.page.root.classList.contains("bp-projecting");
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.toLowerCase() === "p" && !writes && this.page.state.blind !== true) { event.preventDefault(); this.project(!projecting); }
    else if (event.key === "Escape" && projecting) this.project(false);
    else if (projecting && !event.target.closest?.("input, select, textarea, [data-pick]") && (event.key === "ArrowRight" || event.key === "ArrowLeft")) this.page.change({ step: this.page.target(event.key === "ArrowRight" ? "next" : "back") });
  }

  project(on) {
    this.page.root.classList.toggle("bp-projecting", on);
    this.projector.textContent = on ? this.words.unproject : this.words.project;
    this.page.schedule();
  }

  /** Take what an address asks for; what it asks in vain is said. */
  follow(hash) {
    if (hash.length < 2) return;
    const { changes, ignored } = askedBy(hash.slice(1), this.page);
    const taken = !Object.keys(changes).length || this.page.change(changes, true);
    if (taken && ignored.length) this.page.say(`${this.words.ignored} ${ignored.join(", ")}.`);
  }
}
