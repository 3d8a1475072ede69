// The rules of the optimizers in plain numbers, with the conventions of training/optimizers.py, and the way down that they give.

function moments(g, { mnew: m = 0, unew: u = 0 }, { beta1, beta2 }, t) {
  const mnew = beta1 * m + (1 - beta1) * g, unew = beta2 * u + (1 - beta2) * g ** 2;
  const bias1 = 1 - beta1 ** t, bias2 = 1 - beta2 ** t;
  return { m, u, mnew, unew, rest1: 1 - beta1, rest2: 1 - beta2, bias1, bias2, mhat: mnew / bias1, uhat: unew / bias2 };
}

/** One coordinate's step, the t-th from 1: from its number, its gradient and what was written down at the step before, all that is written down; `new` is where it goes. */
export const RULES = new Map([
  ["SGD", (old, g, _, { rate }) => ({ new: old - rate * g })],
  ["momentum", (old, g, { vnew: v = 0 }, { rate, beta }) => {
    const vnew = beta * v + g;
    return { v, vnew, new: old - rate * vnew };
  }],
  ["Nesterov", (old, g, { vnew: v = 0 }, { rate, beta }) => {
    const vnew = beta * v + g;
    return { v, vnew, new: old - rate * (g + beta * vnew) };
  }],
  ["RMSProp", (old, g, { snew: s = 0 }, { rate, decay, eps }) => {
    const snew = decay * s + (1 - decay) * g ** 2;
    return { s, snew, rest: 1 - decay, new: old - (rate * g) / (Math.sqrt(snew) + eps) };
  }],
  ["Adam", (old, g, before, numbers, t) => {
    const found = moments(g, before, numbers, t);
    return { ...found, new: old - (numbers.rate * found.mhat) / (Math.sqrt(found.uhat) + numbers.eps) };
  }],
  ["AdamW", (old, g, before, numbers, t) => {
    const found = moments(g, before, numbers, t), kept = 1 - numbers.rate * numbers.weight_decay;
    return { ...found, kept, new: kept * old - (numbers.rate * found.mhat) / (Math.sqrt(found.uhat) + numbers.eps) };
  }],
]);

/** A surface of the sheet: its loss and gradient at a point. */
export class Surface {
  constructor(entry, words) {
    Object.assign(this, entry);
    this.computation = new Computation({ ...entry, passes: [], data: [], carried: [], words });
  }

  /** {L, g: [by the first, by the second]}; refuses what is not finite. */
  at(point) {
    const { trace, terms } = this.computation.run({ ...this.numbers, [this.moving[0]]: point[0], [this.moving[1]]: point[1] });
    const gradient = this.computation.walk(terms, this.output), g = this.moving.map((name) => gradient.get(name) ?? 0);
    if (!g.every(Number.isFinite)) throw new Refusal(this.output);
    return { L: trace.get(this.output), g };
  }

  holds(point) { return point.every((value, i) => this.ranges[i][0] <= value && value <= this.ranges[i][1]); }

  /** The way down: {rows: [{point, L, g, seen}], stopped}; `seen` is what the rule wrote down there, `stopped` a point that has no loss. */
  descend(start, rule, numbers, steps) {
    const step = RULES.get(rule), rows = [];
    let point = start, before = [{}, {}];
    for (let t = 1; t <= steps + 1; t++) {
      let found;
      try { found = point.every(Number.isFinite) && this.at(point); } catch (error) { if (!(error instanceof Refusal)) throw error; }
      if (!found) return { rows, stopped: point };
      const seen = point.map((old, i) => ({ old, g: found.g[i], ...numbers, ...step(old, found.g[i], before[i], numbers, t) }));
      rows.push({ point, ...found, seen });
      if (!seen.every((values) => Object.values(values).every(Number.isFinite))) return { rows, stopped: seen.map((values) => values.new) };
      before = seen;
      point = seen.map((values) => values.new);
    }
    return { rows, stopped: null };
  }
}

/** What a step leaves, in the long run, of the distance to the minimum of a parabola; `a` is the rate times its curvature: the larger eigenvalue of the step (x, v) -> (x, v). */
export function remaining(rule, a, beta) {
  const [sum, product] = { SGD: [1 - a, 0], momentum: [1 - a + beta, beta], Nesterov: [(1 - a) * (1 + beta), beta * (1 - a)] }[rule], under = sum ** 2 / 4 - product;
  return under < 0 ? Math.sqrt(product) : Math.abs(sum) / 2 + Math.sqrt(under);
}
