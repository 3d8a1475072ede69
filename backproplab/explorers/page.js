// The page of an explorer: evaluates the sheet's lines, walks their terms, fills the picture's slots. No framework, no markup from strings.

const SVG = "http://www.w3.org/2000/svg", MATHML = "http://www.w3.org/1998/Math/MathML", HTML = "http://www.w3.org/1999/xhtml";
const COLORS = 8, ROOM = 7, MOST_PATHS = 8, MOST_PLOTS = 8, PLACES = 80, POINTS = 161, LARGEST = 1e300;
const LONGEST_TICK = 6, BISECTIONS = 60, BEYOND = 2000;
const PLOT = { LEFT: 50, TOP: 14, width: 208, height: 104 }; // half as high as wide, so that ticks are round numbers on both sides

// --- numbers as Python writes them ---------------------------------------------------------------------------------

/** A number with at most `precision` significant digits, as Python's format "g" has it: ties go to the even digit. */
export function number(value, precision = 6) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value < 0 ? "-inf" : "inf";
  if (value === 0) return "0";
  const long = Math.abs(value).toExponential(60), [mantissa, power] = long.split("e");
  const all = mantissa.replace(".", "");
  let kept = BigInt(all.slice(0, precision)), exponent = Number(power);
  const rest = all.slice(precision);
  if (rest[0] > "5" || (rest[0] === "5" && (/[1-9]/.test(rest.slice(1)) || kept % 2n === 1n))) kept += 1n;
  let digits = kept.toString();
  if (digits.length > precision) { digits = digits.slice(0, -1); exponent += 1; }
  const sign = value < 0 ? "-" : "", trimmed = digits.replace(/0+$/, "");
  if (exponent < -4 || exponent >= precision) {
    return `${sign}${trimmed[0]}${trimmed.length > 1 ? "." + trimmed.slice(1) : ""}e${exponent}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${trimmed}`;
  const whole = digits.slice(0, exponent + 1), fraction = digits.slice(exponent + 1).replace(/0+$/, "");
  return sign + whole + (fraction ? "." + fraction : "");
}

const short = (value, precision = 4) => number(value, precision).replaceAll("-", "−");
const RAISED = Object.fromEntries([..."0123456789-"].map((c, i) => [c, "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"[i]]));

/** A number for a circle or a label: 4 digits, 2 where they need more room than there is. */
export function compact(value) {
  const text = short(value);
  return text.length <= ROOM ? text : short(value, 2);
}

/** A number in a formula: 6 digits, 1.5·10⁻⁷. */
export function written(value) {
  const [mantissa, exponent] = number(value).split("e");
  const power = exponent === undefined ? "" : "·10" + [...exponent].map((c) => RAISED[c]).join("");
  return mantissa.replace("-", "−") + power;
}

/** The same as it stands in a product: in parentheses where its sign or its power of ten needs them. */
export function factor(value) {
  const text = written(value);
  return /^[0-9.]+$/.test(text) ? text : `(${text})`;
}

// --- the computation ----------------------------------------------------------------------------------------------

const joined = (edge) => edge.join(":");

/** Something that the page refuses, with the reason in words. */
class Refusal extends Error {}

/** The sheet's lines: values, terms, the walk. */
export class Computation {
  constructor(sheet) {
    this.inputs = sheet.inputs;
    this.programs = new Map(sheet.programs.map((program) => [program.name, program]));
    this.names = [...this.inputs, ...this.programs.keys()];
    this.edges = sheet.programs.flatMap((program) => program.uses.map((use) => [program.name, use]));
    this.passes = sheet.passes;
    this.words = sheet.words;
  }

  /** The slots of a line after its rows have run, on the numbers of the names that it uses. */
  slots(program, numbers) {
    const slots = [...numbers, ...program.constants];
    for (const [operation, ...places] of program.rows) {
      slots.push(OPERATIONS.get(operation)(...places.map((place) => slots[place])));
    }
    return slots;
  }

  /** {trace, terms}: every quantity by name, and the terms' numbers in the order of the edges. Refuses what is not finite. */
  run(numbers) {
    const trace = new Map(this.inputs.map((name) => [name, numbers[name]])), terms = [];
    for (const [name, program] of this.programs) {
      const slots = this.slots(program, program.uses.map((use) => trace.get(use)));
      const at = () => program.uses.map((use) => `${use} = ${number(trace.get(use))}`).join(", ");
      trace.set(name, slots[program.value]);
      if (!Number.isFinite(slots[program.value])) throw new Refusal(`${name} = ${program.text} ${this.words.gives} ${slots[program.value]} ${this.words.at} ${at()}`);
      program.slopes.forEach((slot, i) => {
        if (!Number.isFinite(slots[slot])) throw new Refusal(`d${name}/d${program.uses[i]} ${this.words.is} ${slots[slot]} ${this.words.at} ${at()}`);
        terms.push(slots[slot]);
      });
    }
    return { trace, terms };
  }

  /** The line that defines `of` over numbers for `wrt`, the rest as in the trace. */
  curve([of, wrt], trace, xs) {
    const program = this.programs.get(of), place = program.uses.indexOf(wrt), numbers = program.uses.map((use) => trace.get(use));
    return xs.map((x) => { numbers[place] = x; return this.slots(program, numbers)[program.value]; });
  }

  /** The gradient of the output as far as the walk has passed the lines: a Map from the loss down. */
  walk(terms, output, lines = null) {
    const gradient = new Map([[output, 1]]);
    for (let i = this.edges.length - 1; i >= 0; i--) {
      const [of, wrt] = this.edges[i];
      if (!gradient.has(of) || (lines && !lines.has(of))) continue;
      const part = gradient.get(of) * terms[i];
      gradient.set(wrt, gradient.has(wrt) ? gradient.get(wrt) + part : part);
    }
    return gradient;
  }

  /** The names that the output depends on, itself first. */
  below(output, edges = this.edges) {
    const found = new Set([output]);
    for (let i = edges.length - 1; i >= 0; i--) if (found.has(edges[i][0])) found.add(edges[i][1]);
    return found;
  }

  /** The edges on the paths from the output down to `wrt`, from the loss down. */
  between(output, wrt) {
    const upper = this.below(output, this.edges.filter(([of]) => of !== wrt)), lower = new Set([wrt]);
    for (const [of, use] of this.edges) if (lower.has(use)) lower.add(of);
    const order = new Map([...this.programs.keys()].reverse().map((name, i) => [name, i]));
    const way = this.edges.filter(([of, use]) => upper.has(of) && of !== wrt && lower.has(use));
    return way.map((edge, i) => [edge, i]).sort((a, b) => order.get(a[0][0]) - order.get(b[0][0]) || a[1] - b[1]).map(([edge]) => edge);
  }

  /** {count, first}: how many paths there are, and the first of them as lists of edges. */
  paths(output, wrt, most = MOST_PATHS) {
    const way = this.between(output, wrt), count = new Map([[wrt, 1]]), leading = new Map();
    const forward = this.edges.filter((edge) => way.includes(edge));
    for (const edge of forward) {
      count.set(edge[0], (count.get(edge[0]) ?? 0) + (count.get(edge[1]) ?? 0));
      leading.set(edge[0], [...(leading.get(edge[0]) ?? []), edge]);
    }
    const first = [], open = count.get(output) ? [[]] : [];
    while (open.length && first.length < most) {
      const chain = open.pop(), end = chain.length ? chain.at(-1)[1] : output;
      if (end === wrt) first.push(chain);
      else for (const edge of [...(leading.get(end) ?? [])].reverse()) open.push([...chain, edge]);
    }
    return { count: count.get(output) ?? 0, first };
  }

  /** The groups of lines that a pass back from the output walks. */
  backward(output) {
    const reached = this.below(output);
    return [...this.passes].reverse().map((group) => group.filter((line) => reached.has(line))).filter((group) => group.length);
  }

  /** The names by which the output may be differentiated, in the order of the trace. */
  choices(output) {
    const reached = this.below(output);
    return this.names.filter((name) => name !== output && reached.has(name));
  }

  /** How far the pass has come: the lines computed and walked, and those at work. */
  seen({ output, step }) {
    const backward = this.backward(output), forward = this.passes.length;
    const computed = this.passes.slice(0, step), walked = backward.slice(0, Math.max(0, step - forward));
    const reached = this.below(output), passed = new Set(walked.flat());
    // What a line that the walk has not passed yet will add to has no gradient yet, only a part of it.
    const unfinished = new Set(this.edges.filter(([of]) => reached.has(of) && !passed.has(of)).map(([, wrt]) => wrt));
    return { unfinished,
      steps: forward + backward.length, backward: backward.length, back: walked.length, at: Math.min(step, forward), turned: step >= forward,
      computed: new Set(computed.flat()), walked: passed, current: (walked.at(-1) ?? computed.at(-1) ?? []),
    };
  }
}

/** What each slot shows and how each part is marked: the same as Python's facts, from the same trace and terms. */
export function facts(computation, { trace, terms }, state) {
  const { output, wrt } = state, text = {}, mark = {}, far = computation.seen(state);
  const way = computation.between(output, wrt), lit = new Map(way.map((edge, i) => [joined(edge), `lit c${i % COLORS}`]));
  const onPath = new Set(way.flat()), gradient = far.turned ? computation.walk(terms, output, far.walked) : new Map();
  const known = (name) => !computation.programs.has(name) || far.computed.has(name);
  for (const name of computation.names) {
    const looks = [["unknown", !known(name)], ["now", far.current.includes(name)], ["asked", name === wrt], ["lit", onPath.has(name)]];
    const holding = looks.filter(([, holds]) => holds).map(([look]) => look).join(" ");
    if (holding) mark[`n:${name}`] = holding;
    if (known(name)) { text[`v:${name}`] = compact(trace.get(name)); text[`x:${name}`] = factor(trace.get(name)); text[`w:${name}`] = written(trace.get(name)); }
    if (gradient.has(name) && !far.unfinished.has(name)) text[`g:${name}`] = compact(gradient.get(name));
    if (far.current.includes(name)) mark[`l:${name}`] = "now";
  }
  computation.edges.forEach((edge, i) => {
    const key = joined(edge), look = lit.get(key) ?? "off", seen = far.walked.has(edge[0]) && gradient.has(edge[0]);
    mark[`e:${key}`] = look;
    mark[`b:${key}`] = mark[`t:${key}`] = seen ? look : "hidden";
    if (seen) { text[`t:${key}`] = compact(terms[i]); text[`f:${key}`] = factor(terms[i]); text[`r:${key}`] = written(terms[i]); }
  });
  const place = new Map(computation.edges.map((edge, i) => [joined(edge), i])), { count, first } = computation.paths(output, wrt);
  const whole = way.every(([of]) => far.walked.has(of));
  first.forEach((path, k) => {
    const done = path.every(([of]) => far.walked.has(of));
    const value = path.reduce((product, edge) => product * terms[place.get(joined(edge))], 1);
    if (done) { text[`p:${k}`] = written(value); text[`q:${k}`] = factor(value); }
  });
  if (whole && way.length) {
    const total = gradient.get(wrt);
    text["s:"] = written(total);
    if (count > first.length) text["o:"] = factor(total - first.reduce((sum, path) => sum + path.reduce((product, edge) => product * terms[place.get(joined(edge))], 1), 0));
  }
  return { text, mark };
}

/** How far a slider and a plot go to each side of 0: 4, 8, 16, ..., so that the axes rest while the point moves. */
export function reach(value) {
  let limit = 4;
  while (limit < Math.abs(value) * 1.05 && limit < 1e300) limit *= 2;
  return limit;
}

/** Ticks at values; where four digits do not tell them apart, or are too long, by how much they are off the middle one. */
function named(place, values) {
  const half = Math.floor(values.length / 2), middle = values[half];
  let texts = values.map((value) => short(value));
  if (new Set(texts).size < texts.length || texts.some((text) => text.length > LONGEST_TICK)) {
    texts = values.map((value) => (value > middle ? "+" : "") + short(value - middle, 2));
    texts[half] = compact(middle);
  }
  return values.map((value, i) => [place(value), texts[i]]);
}

/** A curve in pieces: cut where it is not finite and at a pole; where it is steep, with a point inside the frame. */
function pieces(xs, vs, line, height) {
  const found = [[]];
  let last = null;
  xs.forEach((x, i) => {
    const v = vs[i];
    if (!Number.isFinite(v)) last = null;
    else if (last && Math.min(last[1], v) < 0 && Math.max(last[1], v) > height) {
      const within = inside(last, [x, v], line, height);
      if (within) found.at(-1).push(within); else last = null;
    }
    if (!last) found.push([]);
    if (Number.isFinite(v)) { last = [x, v]; found.at(-1).push(last); }
  });
  return found;
}

/** A point of the curve inside the frame, between two that are beyond it on either side; null where it jumps across. */
function inside(start, end, line, height) {
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (start[0] + end[0]) / 2, v = line(middle);
    if (!Number.isFinite(v)) return null;
    if (0 <= v && v <= height) return [middle, v];
    if ((v < 0) === (start[1] < 0)) start = [middle, v]; else end = [middle, v];
  }
  return null;
}

/** A plot of a term: one unit is as long upwards as sideways, so that a slope of 1 stands at 45 degrees in each of them. */
export function plot(computation, edge, trace, slope, { width, height }) {
  const x = trace.get(edge[1]), y = trace.get(edge[0]), limit = reach(x), unit = width / 2 / limit;
  const half = height / 2 / unit, middle = Math.round(y / half) * half;
  const px = (u) => (u / limit + 1) * width / 2, py = (v) => height / 2 - ((v - middle) / half) * height / 2;
  const xs = Array.from({ length: POINTS }, (_, i) => limit * (2 * i / (POINTS - 1) - 1)), ys = computation.curve(edge, trace, xs);
  const found = pieces(xs, ys.map(py), (u) => py(computation.curve(edge, trace, [u])[0]), height);
  const long = 0.2 * width / Math.hypot(1, slope);
  const ticks = [-1, -0.5, 0, 0.5, 1];
  return {
    pieces: found.filter((piece) => piece.length > 1).map((piece) => piece.map(([u, v]) => [px(u), Math.max(-BEYOND, Math.min(BEYOND, v))])), point: [px(x), py(y)],
    tangent: [[px(x) - long, py(y) + long * slope], [px(x) + long, py(y) - long * slope]],
    across: named(px, ticks.map((t) => t * limit)),
    up: named(py, ticks.map((t) => middle + t * half)),
  };
}

// --- elements ------------------------------------------------------------------------------------------------------

const TAGS = new Set(["svg", "g", "path", "circle", "rect", "text", "tspan", "polygon", "title", "math", "mrow", "mi", "mn", "mo", "ms", "mtext", "mspace", "mfrac", "msqrt", "mroot", "msup", "msub", "msubsup", "mover", "munder", "munderover", "mtable", "mtr", "mtd", "mstyle", "mpadded", "mphantom"]);
const ATTRIBUTES = new Set(["class", "d", "x", "y", "r", "cx", "cy", "rx", "width", "height", "viewBox", "points", "dx", "dy", "font-size", "font-style", "font-weight", "text-anchor", "stroke-width", "stroke-dasharray", "fill-opacity", "data-slot", "data-mark", "data-pick", "data-input", "mathvariant", "stretchy", "display", "displaystyle", "scriptlevel", "columnalign", "mathcolor", "accent", "fence", "form", "lspace", "rspace", "separator", "width", "xmlns", "linethickness", "symmetric", "movablelimits", "largeop", "minsize", "maxsize", "style"]);

/** An element of the sheet as a node: tags and attributes from closed lists, texts as text. */
export function build([tag, attributes, ...children], space = null) {
  if (!TAGS.has(tag)) throw new Refusal(`the sheet holds an element ${tag}`);
  const inside = tag === "svg" ? SVG : tag === "math" ? MATHML : space;
  const node = document.createElementNS(inside, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (!ATTRIBUTES.has(name)) throw new Refusal(`the sheet holds an attribute ${name}`);
    if (name === "style" && !/^text-align:-webkit-(left|right|center)(;padding-(left|right):0)?$/.test(value)) throw new Refusal(`the sheet holds a style ${value}`);
    if (name !== "xmlns") node.setAttribute(name, String(value));
  }
  for (const child of children) node.append(Array.isArray(child) ? build(child, inside) : document.createTextNode(String(child)));
  return node;
}

function html(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const icon = (d) => { const node = build(["svg", { viewBox: "0 0 16 16", width: "14", height: "14" }, ["path", { d }]]); node.setAttribute("aria-hidden", "true"); return node; };
const ICONS = { first: "M2 2h2v12H2zM14 2v12L5 8z", back: "M12 2v12L3 8z", next: "M4 2v12l9-6z", last: "M12 2h2v12h-2zM2 2v12l9-6z" };

/** A typed number, or NaN: digits with a sign, a point, a power of ten; nothing is evaluated. */
export function typed(text) {
  const plain = text.trim().replace("−", "-");
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain) ? Number(plain) : NaN;
}

// --- the page ------------------------------------------------------------------------------------------------------

let count = 0;

/** The live page in `host`. `bridge.moved(state)` hears of each state at rest; `bridge` may be left out. */
export class Page {
  constructor(host, sheet, state, bridge = {}) {
    this.host = host; this.sheet = sheet; this.bridge = bridge; this.id = `bp${++count}`;
    this.computation = new Computation(sheet);
    this.first = structuredClone(state.numbers);
    this.limits = new Map(sheet.inputs.map((name) => [name, reach(state.numbers[name])]));
    this.root = html("div", { class: "bp-page" });
    this.terms = new Map(this.computation.edges.map((edge, i) => [joined(edge), sheet.math.terms[i]]));
    this.state = { ...state, numbers: { ...state.numbers } };
    this.result = this.computation.run(this.state.numbers);
    this.abort = new AbortController();
    this.build();
    host.append(this.root);
    this.visible = true;
    this.observer = new IntersectionObserver((entries) => { this.visible = entries.at(-1).isIntersecting; if (this.visible && this.stale) this.schedule(); });
    this.observer.observe(this.root);
    this.draw();
  }

  dispose() {
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
    this.listen(this.reset, "click", () => this.change({ numbers: { ...this.first } }, true));
    for (const node of [this.of, this.wrt, this.reset]) node.setAttribute("data-lm-suppress-shortcuts", "true");
    this.verdict = html("span", { class: "bp-verdict", role: "status" });
    const head = html("div", { class: "bp-head" },
      html("label", { for: this.of.id }, words.of), this.of, html("label", { for: this.wrt.id }, words.wrt), this.wrt,
      html("span", { class: "bp-steps", role: "group", "aria-label": words.steps }, ...Object.values(this.buttons)), this.reset, this.verdict);
    this.message = html("div", { class: "bp-message", role: "alert" });
    this.knobs = html("div", { class: "bp-knobs" });
    this.controls = new Map();
    this.status = html("div", { class: "bp-status", "aria-live": "polite" });
    this.picture = html("div", { class: "bp-picture", tabindex: "0", role: "region", "aria-label": words.picture, "data-lm-suppress-shortcuts": "true" }, build(this.sheet.picture));
    this.tip = html("div", { class: "bp-tip" });
    this.chain = html("div", { class: "bp-chain" });
    this.plots = html("div", { class: "bp-plots" });
    this.table = html("details", { class: "bp-all" }, html("summary", { "data-lm-suppress-shortcuts": "true" }, words.all));
    this.listen(this.table, "toggle", () => this.fillTable());
    const notes = this.sheet.notes.map((note) => html("p", { class: "bp-note" }, note));
    this.root.append(head, html("div", { class: "bp-body" }, this.knobs, html("div", { class: "bp-main" }, html("div", { class: "bp-says" }, this.status, this.message), this.picture, this.tip, ...notes, this.chain, this.plots, this.table)));
    this.parts = new Map();
    for (const node of this.picture.querySelectorAll("[data-mark], [data-slot]")) {
      const mark = node.getAttribute("data-mark");
      if (mark) { node.dataset.base = node.getAttribute("class") ?? ""; this.parts.set(mark, [...(this.parts.get(mark) ?? []), node]); }
    }
    this.slots = new Map();
    this.collect(this.picture, "picture");
    for (const node of this.picture.querySelectorAll("[data-pick]")) {
      const name = node.getAttribute("data-pick");
      node.setAttribute("role", "button"); node.setAttribute("tabindex", "0"); node.setAttribute("data-lm-suppress-shortcuts", "true");
      const choose = () => { if (this.computation.choices(this.state.output).includes(name)) this.change({ wrt: name }); else this.say(name === this.state.output ? `${name} ${words.itself}.` : `${name}: ${words.nopath} ${this.state.output}.`); };
      this.listen(node, "click", choose);
      this.listen(node, "keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(); } });
      for (const [event, shown] of [["pointerenter", true], ["pointerleave", false], ["focus", true], ["blur", false]]) this.listen(node, event, () => { this.tipped = shown ? name : null; this.drawTip(); });
    }
    for (const mark of this.computation.edges.map(joined)) for (const kind of "ebt") for (const node of this.parts.get(`${kind}:${mark}`) ?? []) this.hover(node, mark);
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
    this.listen(node, "pointerenter", () => light(true));
    this.listen(node, "pointerleave", () => light(false));
  }

  /** A quantity in words, as far as it is known. */
  words(name, precision = 6) {
    const far = this.computation.seen(this.state), known = !this.computation.programs.has(name) || far.computed.has(name);
    const gradient = far.turned && !far.unfinished.has(name) ? this.computation.walk(this.result.terms, this.state.output, far.walked).get(name) : undefined;
    return name + (known ? ` = ${number(this.result.trace.get(name), precision)}` : "") + (gradient === undefined ? "" : `, d${this.state.output}/d${name} = ${number(gradient, precision)}`);
  }

  drawTip() { this.tip.textContent = this.tipped ? this.words(this.tipped, 17) : ""; }

  say(words) { this.message.textContent = words; }

  refuse(error) {
    this.say(`${error instanceof Refusal ? "" : error.name + ": "}${error.message}. ${this.sheet.words.stays}`);
    this.sync();
  }

  target(button) {
    const { steps } = this.computation.seen(this.state), { step } = this.state;
    return { first: 0, back: Math.max(0, step - 1), next: Math.min(steps, step + 1), last: steps }[button];
  }

  /** The state with changes, checked, or a refusal: nothing has changed then. */
  changed({ numbers = {}, output = this.state.output, wrt = this.state.wrt, step = this.state.step }) {
    for (const [name, value] of Object.entries(numbers)) if (!(Math.abs(value) <= LARGEST)) throw new Refusal(`${name}: ${this.sheet.words.notnumber}`);
    const choices = this.computation.choices(output);
    const state = { numbers: { ...this.state.numbers, ...numbers }, output, wrt: choices.includes(wrt) ? wrt : choices[0], step: 0 };
    state.step = Math.min(step, this.computation.seen(state).steps);
    return state;
  }

  /** A control was moved: the new state, or what is wrong with it while the last good one stays. */
  change(changes, retype = false) {
    let state, result;
    try {
      state = this.changed(changes);
      result = changes.numbers ? this.computation.run(state.numbers) : this.result;
    } catch (error) {
      this.refuse(error);
      return false;
    }
    if (retype) for (const name of Object.keys(changes.numbers)) this.limits.set(name, reach(state.numbers[name]));
    Object.assign(this, { state, result });
    this.say("");
    this.schedule();
    this.tell();
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
    this.rest = setTimeout(() => this.bridge.moved?.(this.state, { trace: Object.fromEntries(this.result.trace), gradient: Object.fromEntries(this.computation.walk(this.result.terms, this.state.output)) }), 100);
  }

  schedule() {
    this.stale = true;
    if (!this.visible) return;
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => { try { this.draw(); } catch (error) { this.refuse(error); } });
  }

  draw() {
    this.stale = false;
    this.found = facts(this.computation, this.result, this.state);
    const key = JSON.stringify([this.state.output, this.state.wrt, this.state.step]);
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
    for (const node of this.picture.querySelectorAll("[data-pick]")) { node.setAttribute("aria-label", this.words(node.getAttribute("data-pick"))); node.setAttribute("aria-pressed", String(node.getAttribute("data-pick") === this.state.wrt)); }
    this.drawPlots();
    this.drawTip();
    this.sync();
    for (const [node, name] of [[this.chain, "chain"], [this.plots, "plots"]]) { // what scrolls can be reached by keyboard
      if (node.scrollWidth > node.clientWidth) for (const [key, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", this.sheet.words[name]]]) node.setAttribute(key, value);
      else for (const key of ["tabindex", "role", "aria-label"]) node.removeAttribute(key);
    }
    if (this.table.open) this.fillTable();
  }

  /** The parts that depend on what is asked, not on numbers: selects, knobs, chains, plots. */
  compose() {
    const { output, wrt } = this.state, choices = this.computation.choices(output);
    this.wrt.replaceChildren(...choices.map((name) => html("option", { value: name }, name)));
    const knobs = this.sheet.inputs.filter((name) => this.sheet.knobs.includes(name) || name === wrt);
    if (knobs.join() !== [...this.controls.keys()].join()) this.composeKnobs(knobs);
    this.composeStatus();
    this.composeChain();
    this.composePlots();
  }

  composeKnobs(names) {
    this.controls = new Map(names.map((name) => [name, this.knob(name)]));
    this.knobs.replaceChildren(...[...this.controls.values()].map(({ row }) => row));
  }

  knob(name) {
    const range = html("input", { type: "range", min: String(-PLACES), max: String(PLACES), step: "1", "aria-label": name, "data-input": name, "data-lm-suppress-shortcuts": "true" });
    const field = html("input", { type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false", "aria-label": `${name}, ${this.sheet.words.typed}`, "data-input": name, "data-lm-suppress-shortcuts": "true" });
    const ends = html("span", { class: "bp-ends" });
    this.listen(range, "input", () => this.change({ numbers: { [name]: Number(number(range.value * this.limits.get(name) / PLACES)) } }));
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
    const body = far.current.length === 0 ? [words.inputs] : far.current.slice(0, 3).flatMap((line, i) => [i ? ", " : "", this.math(far.back ? math.lines[line] : math.filled[line])]);
    this.status.replaceChildren(lead, ...body, far.current.length > 3 ? ", …" : "");
    this.collect(this.status, "status");
  }

  number(slot, classes = "") { return html("span", { "data-slot": slot, class: `bp-number ${classes}` }); }

  composeChain() {
    this.drop("chain");
    const { output, wrt } = this.state, { words } = this.sheet, { count, first } = this.computation.paths(output, wrt);
    this.colors = new Map(this.computation.between(output, wrt).map((edge, i) => [joined(edge), i % COLORS]));
    const twofold = count > 1 && this.terms.has(joined([output, wrt])), sign = twofold ? "d" : "∂";
    const left = () => html("span", { class: "bp-left" }, this.quotient(output, wrt, sign));
    const signs = (...rows) => html("span", { class: "bp-factor bp-sign" }, ...rows.map((row) => html("span", {}, row)));
    const blocks = first.map((path, k) => {
      const title = count > 1 ? [html("div", { class: "bp-route" }, `${words.path} ${k + 1} / ${count}: ${[output, ...path.map(([, use]) => use)].join(" ← ")}`)] : [];
      const product = signs("", "", html("span", {}, "= ", this.number(`p:${k}`)));
      const factors = path.map((edge, i) => this.together(...(i ? [signs("·", "·", "·")] : []), this.factorOf(edge), ...(i === path.length - 1 ? [product] : [])));
      return html("div", { class: count > 1 ? "bp-path" : "bp-only" }, ...title, html("div", { class: "bp-product" }, ...(count > 1 ? [] : [signs(left(), "", "")]), signs(count > 1 ? "" : "=", "=", "="), ...factors));
    });
    if (count > 1) {
      const sum = first.flatMap((_, k) => [k ? " + " : "", this.number(`q:${k}`)]), rest = count > first.length ? [` + (${count - first.length} ${words.more}: `, this.number("o:"), ")"] : [];
      blocks.push(html("div", { class: "bp-sum" }, html("div", { class: "bp-route" }, `${words.sum} ${count} ${words.paths}${twofold ? words.whole : ""}`), left(), " = ", ...sum, ...rest, " = ", this.number("s:", "bp-total")));
    }
    this.chain.replaceChildren(...blocks);
    this.collect(this.chain, "chain");
  }

  /** Parts of a chain that stay in one row. */
  together(...parts) { return html("span", { class: "bp-together" }, ...parts); }

  /** A derivative as a fraction, with d where ∂ already stands for one line alone. */
  quotient(of, wrt, sign) {
    const inside = (name) => ["mrow", {}, ["mo", { rspace: "0" }, sign], ...this.sheet.math.names[name].slice(2)];
    return build(["math", {}, ["mfrac", {}, inside(of), inside(wrt)]]);
  }

  factorOf(edge) {
    const term = joined(edge), { symbol, factor: shown } = this.terms.get(term);
    const column = html("span", { class: `bp-factor c${this.colors.get(term)}`, "data-term": term }, html("span", {}, this.math(symbol)), html("span", {}, this.math(shown)), this.number(`f:${term}`));
    this.hover(column, term);
    return column;
  }

  composePlots() {
    this.drop("plots");
    const far = this.computation.seen(this.state), { output, wrt } = this.state;
    const walked = this.computation.between(output, wrt).filter(([of]) => far.walked.has(of)), edges = walked.slice(-MOST_PLOTS);
    this.shown = edges.map((edge) => this.plotOf(edge));
    const earlier = walked.length > edges.length ? [html("div", { class: "bp-route" }, `${walked.length - edges.length} ${this.sheet.words.earlier}`)] : [];
    this.plots.replaceChildren(...earlier, ...this.shown.map(({ figure }) => figure));
    this.collect(this.plots, "plots");
  }

  plotOf(edge) {
    const term = joined(edge), { symbol, steps, numbers } = this.terms.get(term), color = `c${this.colors.get(term)}`;
    const [of, wrt] = edge.map((name) => this.sheet.math.runs[name].slice(2)), { LEFT, TOP, width, height } = PLOT;
    const svg = build(["svg", { viewBox: `0 0 ${LEFT + width + 14} ${TOP + height + 36}`, class: "bp-plot" },
      ["g", { class: "bp-ticks" }], ["path", { class: "bp-axis", d: `M${LEFT} ${TOP}V${TOP + height}H${LEFT + width}` }],
      ["text", { x: String(LEFT + width), y: String(TOP + height + 31), "text-anchor": "end", class: "bp-axisname" }, ...wrt], ["text", { x: String(LEFT + 6), y: String(TOP + 4), class: "bp-axisname" }, ...of],
      ["svg", { x: String(LEFT), y: String(TOP), width: String(width), height: String(height), class: "bp-area" }, ["path", { class: "bp-curve" }], ["path", { class: `bp-drop ${color}` }], ["path", { class: `bp-tangent ${color}` }], ["circle", { class: `bp-point ${color}`, r: "4.5" }]]]);
    svg.setAttribute("role", "img");
    const results = [...steps, ...(numbers ? [numbers] : [])].map((step) => this.math(step));
    const line = html("div", { class: "bp-line" }, html("span", { class: color }, this.math(symbol)), ...[...results, this.number(`r:${term}`)].map((result) => html("span", {}, " = ", result)));
    const figure = html("figure", { class: "bp-figure", "data-term": term }, svg, html("figcaption", {}, line));
    this.hover(figure, term);
    return { edge, term, figure, svg };
  }

  drawPlots() {
    const place = new Map(this.computation.edges.map((edge, i) => [joined(edge), i])), { LEFT, TOP, width, height } = PLOT;
    const at = ([x, y]) => `${x.toFixed(1)} ${Math.max(-BEYOND, Math.min(BEYOND, y)).toFixed(1)}`;
    for (const { edge, term, svg } of this.shown) {
      const slope = this.result.terms[place.get(term)], drawn = plot(this.computation, edge, this.result.trace, slope, PLOT);
      const ticks = svg.firstChild, [curve, drop, tangent, point] = svg.lastChild.children;
      svg.setAttribute("aria-label", `${edge[0]} = ${this.computation.programs.get(edge[0]).text}, ${this.sheet.words.slope} ${number(slope)} ${this.sheet.words.at} ${edge[1]} = ${number(this.result.trace.get(edge[1]))}`);
      curve.setAttribute("d", drawn.pieces.map((piece) => "M" + piece.map(at).join("L")).join(""));
      tangent.setAttribute("d", `M${at(drawn.tangent[0])}L${at(drawn.tangent[1])}`);
      drop.setAttribute("d", `M${at(drawn.point)}L${at([drawn.point[0], height])}`);
      const [x, y] = at(drawn.point).split(" ");
      point.setAttribute("cx", x); point.setAttribute("cy", y);
      const texts = [...drawn.across.map(([u, label]) => ["text", { x: (u + LEFT).toFixed(1), y: String(TOP + height + 15), "text-anchor": "middle" }, label]), ...drawn.up.map(([v, label]) => ["text", { x: String(LEFT - 5), y: (v + TOP + 4).toFixed(1), "text-anchor": "end" }, label])];
      const key = JSON.stringify(texts);
      if (ticks.dataset.key !== key) { ticks.replaceChildren(...texts.map((text) => build(text, SVG))); ticks.dataset.key = key; }
    }
  }

  fillTable() {
    for (const old of this.table.querySelectorAll("table")) old.remove();
    if (!this.table.open) return;
    const { words } = this.sheet, far = this.computation.seen(this.state), known = (name) => !this.computation.programs.has(name) || far.computed.has(name);
    const gradient = far.turned ? this.computation.walk(this.result.terms, this.state.output, far.walked) : new Map();
    const cell = (value) => { const td = html("td", {}, value === undefined ? "" : written(value)); if (value !== undefined) td.title = String(value); return td; };
    const rows = this.computation.names.filter(known).map((name) => html("tr", {}, html("th", { scope: "row" }, this.math(this.sheet.math.names[name])), cell(this.result.trace.get(name)), cell(far.unfinished.has(name) ? undefined : gradient.get(name))));
    this.table.append(html("table", {}, html("thead", {}, html("tr", {}, ...[words.quantity, words.value, words.gradient].map((head) => html("th", { scope: "col" }, head)))), html("tbody", {}, ...rows)));
  }

  /** The kernel's word on the state at rest. */
  judge({ agrees, worst, error, rounding }) {
    const { words } = this.sheet;
    this.verdict.textContent = error ? `${words.kernelerror}: ${error}` : agrees ? `✓ ${words.agrees}` : rounding ? words.rounding : `${words.differs} ${worst}`;
    this.verdict.classList.toggle("bp-bad", Boolean(error || !agrees && !rounding));
  }
}

// --- where it lives ------------------------------------------------------------------------------------------------

/** The page as a widget: the model holds sheet and state, messages carry the kernel's verdicts. */
function render({ model, el }) {
  let turn = 0, waiting;
  const page = new Page(el, model.get("sheet"), model.get("state"), {
    moved(state, numbers) {
      turn += 1;
      clearTimeout(waiting);
      waiting = setTimeout(() => { page.verdict.textContent = page.sheet.words.nokernel; }, 3000);
      model.send({ turn, state, numbers });
    },
  });
  const heard = (message) => {
    if (message.state) page.receive(message.state);
    if (message.turn === turn || message.turn === undefined && !message.state) { clearTimeout(waiting); if (message.turn) page.judge(message); }
  };
  model.on("msg:custom", heard);
  return () => { model.off("msg:custom", heard); clearTimeout(waiting); page.dispose(); };
}

export default { render };
