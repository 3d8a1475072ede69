// The computation of a sheet: its lines evaluated, their terms walked; what each slot shows, and the points of each curve.

const COLORS = 8, MOST_PATHS = 8, POINTS = 161, WIDEST = 8;
const LONGEST_TICK = 6, BISECTIONS = 60, BEYOND = 2000;

const joined = (edge) => edge.join(":");

/** The sheet's lines: values, terms, the walk. */
export class Computation {
  constructor(sheet) {
    this.inputs = sheet.inputs;
    this.programs = new Map(sheet.programs.map((program) => [program.name, program]));
    this.names = [...this.inputs, ...this.programs.keys()];
    this.edges = sheet.programs.flatMap((program) => program.uses.map((use) => [program.name, use]));
    this.passes = sheet.passes; this.data = sheet.data; this.carried = new Map(sheet.carried);
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
      if (!Number.isFinite(slots[program.value])) throw Object.assign(new Refusal(`${name} = ${program.text} ${this.words.gives} ${slots[program.value]} ${this.words.at} ${at()}`), { blindly: `${name} ${this.words.gives} ${slots[program.value]}` });
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

  /** The output over numbers for a quantity, an input or a line: the lines that depend on it computed anew. */
  over(output, wrt, trace, xs) {
    const moved = new Set([wrt]), reached = this.below(output);
    for (const [of, use] of this.edges) if (of !== wrt && moved.has(use)) moved.add(of);
    const lines = [...this.programs.values()].filter(({ name }) => name !== wrt && moved.has(name) && reached.has(name));
    return xs.map((x) => {
      const at = new Map(trace).set(wrt, x);
      for (const program of lines) at.set(program.name, this.slots(program, program.uses.map((use) => at.get(use)))[program.value]);
      return at.get(output);
    });
  }

  /** Output and gradient over all examples, or of the only one: the mean or the sum, what the loss takes from a weight itself once. */
  totals({ numbers, output, rows, reduction }) {
    if (!rows.length) {
      const { trace, terms } = this.run(numbers);
      return { value: trace.get(output), gradient: this.walk(terms, output), own: new Map(), shares: () => [] };
    }
    const runs = rows.map((row) => this.run({ ...numbers, ...Object.fromEntries(this.data.map((name, i) => [name, row[i]])) }));
    const share = reduction === "mean" ? 1 / rows.length : 1, gradients = runs.map(({ terms }) => this.walk(terms, output)), own = new Map();
    const weights = this.inputs.filter((name) => !this.data.includes(name)), loss = [...this.programs.keys()].at(-1);
    this.edges.forEach(([of, use], i) => { if (of === output && output === loss && weights.includes(use)) own.set(use, runs[0].terms[i]); });
    const shares = (name) => gradients.map((gradient) => ((gradient.get(name) ?? 0) - (own.get(name) ?? 0)) * share);
    const penalty = [...own].reduce((sum, [name, slope]) => sum + 0.5 * numbers[name] * slope, 0);
    const value = runs.reduce((sum, { trace }) => sum + (trace.get(output) - penalty) * share, 0) + penalty;
    return { value, own, shares, gradient: new Map(weights.map((name) => [name, shares(name).reduce((sum, part) => sum + part, 0) + (own.get(name) ?? 0)])) };
  }

  /** What flows back along each edge: the gradient of the weight that stands on it, else the part that it sends back. */
  flows(terms, gradient, seen) {
    return this.edges.map((edge, i) => {
      const weight = this.carried.get(joined(edge));
      if (!seen(edge)) return null;
      return Math.abs(weight === undefined ? gradient.get(edge[0]) * terms[i] : gradient.get(weight) ?? 0);
    });
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

/** What each slot shows and how each part is marked: the same as Python's facts, from the same trace and terms; "?" in the hidden slots. */
export function facts(computation, { trace, terms }, state, hidden = new Set()) {
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
  const passed = (edge) => far.walked.has(edge[0]) && gradient.has(edge[0]);
  const told = ([of, wrt]) => ![`t:${of}:${wrt}`, `d:${wrt}`, `d:${computation.carried.get(`${of}:${wrt}`)}`].some((slot) => hidden.has(slot)); // no width where it would tell
  const flows = state.glance ? computation.flows(terms, gradient, (edge) => passed(edge) && told(edge)) : [], most = Math.max(...flows, Number.MIN_VALUE);
  computation.edges.forEach((edge, i) => {
    const key = joined(edge), look = lit.get(key) ?? "off", seen = passed(edge);
    mark[`e:${key}`] = look + (typeof flows[i] === "number" ? ` w${Math.round(WIDEST * (flows[i] / most))}` : "");
    mark[`b:${key}`] = mark[`t:${key}`] = seen ? look : "hidden";
    if (seen) { text[`t:${key}`] = compact(terms[i]); text[`f:${key}`] = factor(terms[i]); text[`r:${key}`] = written(terms[i]); }
  });
  const place = new Map(computation.edges.map((edge, i) => [joined(edge), i])), { count, first } = computation.paths(output, wrt);
  for (const name of far.turned ? gradient.keys() : []) if (!far.unfinished.has(name)) { text[`d:${name}`] = written(gradient.get(name)); text[`e:${name}`] = factor(gradient.get(name)); }
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
  for (const slot of hidden) if (slot in text) text[slot] = "?";
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
