// The steps by which a net learns: batches, SGD, Adam, as in boundary_training.py, number for number.

const KEPT = 0.9, KEPT_SQUARE = 0.999, EPSILON = 1e-8, WEYL = 0x6d2b79f5;

/** mulberry32 by Tommy Ettinger, 2017: numbers from 0 to below 1. */
function draws(state) {
  return () => {
    state = (state + WEYL) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The n rows in the order of an epoch. */
export function order(n, seed, epoch) {
  const rows = Array.from({ length: n }, (_, i) => i), next = draws((seed + Math.imul(Math.imul(epoch, n - 1), WEYL)) >>> 0);
  for (let last = n - 1; last > 0; last--) {
    const other = Math.floor(next() * (last + 1));
    [rows[last], rows[other]] = [rows[other], rows[last]];
  }
  return rows;
}

/** A net, its points and the place where its training stands; a step that leaves the finite numbers is refused, and nothing has changed. */
export class Training {
  constructor(sheet, state) {
    this.sheet = sheet; this.net = new Dense(sheet);
    const { points, labels, outputs } = sheet;
    this.n = points.length; this.batches = Math.ceil(this.n / sheet.batch);
    this.X = Float64Array.from(points.flat());
    this.Y = new Float64Array(this.n * outputs);
    labels.forEach((label, n) => { if (outputs === 1) this.Y[n] = label; else this.Y[n * outputs + label] = 1; });
    this.take(state);
  }

  /** Go to a place that was kept. */
  take({ step, weights, first, second, taken, losses }) {
    const row = (numbers) => Float64Array.from(numbers);
    Object.assign(this, { step, taken, weights: row(weights), first: row(first), second: row(second), losses: [...losses], epoch: null });
    this.pass = this.forward();
  }

  /** The place as it is kept: plain lists of numbers. */
  place() {
    return { step: this.step, taken: this.taken, losses: [...this.losses], ...Object.fromEntries(["weights", "first", "second"].map((name) => [name, Array.from(this[name])])) };
  }

  /** Another optimizer begins here. */
  forget() { this.taken = 0; this.first = new Float64Array(this.net.count); this.second = new Float64Array(this.net.count); }

  /** Z and A of all points. */
  forward(weights = this.weights) { return this.net.forward(weights, this.X); }

  gradient() { return this.net.gradient(this.weights, this.forward(), this.Y); }

  /** The gradient of the next batch. */
  next() {
    if (this.batches === 1) return this.gradient();
    const { batch, seed, outputs } = this.sheet, epoch = Math.floor(this.step / this.batches), from = (this.step % this.batches) * batch;
    if (this.epoch !== epoch) { this.rows = order(this.n, seed, epoch); this.epoch = epoch; }
    const rows = this.rows.slice(from, from + batch), pick = (all, width) => Float64Array.from(rows.flatMap((n) => Array.from(all.subarray(n * width, (n + 1) * width))));
    return this.net.gradient(this.weights, this.net.forward(this.weights, pick(this.X, 2)), pick(this.Y, outputs));
  }

  /** One step; a Refusal names the first quantity that it would make infinite or no number. */
  advance(optimizer, rate) {
    const g = this.next(), { first, second } = this, weights = new Float64Array(this.net.count);
    this.finite(g, "dL/d", rate);
    const adam = optimizer === "Adam", taken = this.taken + (adam ? 1 : 0), m = adam ? new Float64Array(g.length) : first, v = adam ? new Float64Array(g.length) : second;
    const size = rate / (1 - KEPT ** taken), root = Math.sqrt(1 - KEPT_SQUARE ** taken);
    for (let i = 0; i < g.length; i++) {
      if (adam) {
        m[i] = KEPT * first[i] + (1 - KEPT) * g[i];
        v[i] = KEPT_SQUARE * second[i] + (1 - KEPT_SQUARE) * g[i] * g[i];
        weights[i] = this.weights[i] - size * m[i] / (Math.sqrt(v[i]) / root + EPSILON);
      } else weights[i] = this.weights[i] - rate * g[i];
    }
    this.finite(m, "the mean of dL/d", rate); this.finite(v, "the mean square of dL/d", rate); this.finite(weights, "", rate);
    const pass = this.forward(weights), loss = this.net.total(weights, pass, this.Y);
    pass.Z.forEach((Z, l) => { if (!Z.every(Number.isFinite)) this.stop(`Z${l + 1}`, l + 1, rate); });
    if (!Number.isFinite(loss)) this.stop("L", this.net.layers.length, rate);
    Object.assign(this, { weights, first: m, second: v, taken, pass, step: this.step + 1 });
    this.losses.push(loss);
  }

  finite(row, what, rate) {
    const at = row.findIndex((value) => !Number.isFinite(value));
    if (at < 0) return;
    const l = this.net.layers.findLastIndex(({ W }) => W <= at);
    this.stop(`${what}${at < this.net.layers[l].b ? "W" : "b"}${l + 1}`, l + 1, rate);
  }

  stop(what, layer, rate) {
    this.pass = this.forward();
    throw new Refusal(filled(this.sheet.words.stopped, { step: this.step + 1, what, layer, rate: number(rate) }));
  }

  /** How many points the net puts into their class. */
  right() { return this.sheet.labels.filter((label, n) => this.answer(this.pass, n) === label).length; }

  /** The class that a row of a pass is put into; p = 1/2 belongs to class 1. */
  answer(pass, n) {
    const { outputs } = this.sheet, A = pass.A.at(-1);
    if (outputs === 1) return A[n] >= 0.5 ? 1 : 0;
    let best = 0;
    for (let k = 1; k < outputs; k++) if (A[n * outputs + k] > A[n * outputs + best]) best = k;
    return best;
  }

  /** Of one point: its own loss, its own gradient's norm by layer, and what share it has of each layer's whole gradient, along it. */
  about(n) {
    const { outputs } = this.sheet, whole = this.gradient(), Y = this.Y.subarray(n * outputs, (n + 1) * outputs), part = this.net.share(this.n);
    this.pass = this.forward();
    const pass = this.net.forward(this.weights, this.X.slice(2 * n, 2 * n + 2)), own = this.net.gradient(this.weights, pass, Y, 1, 0);
    const dot = (a, b, { W, b: bias, units }) => { let sum = 0; for (let i = W; i < bias + units; i++) sum += a[i] * b[i]; return sum; };
    const layers = this.net.layers.map((layer) => {
      const length = dot(whole, whole, layer);
      return { norm: Math.sqrt(dot(own, own, layer)), whole: Math.sqrt(length), pull: length > 0 && length < Infinity ? part * dot(own, whole, layer) / length : 0 };
    });
    return { loss: this.net.lossOf(pass, Y, 0), outputs: Array.from(pass.A.at(-1)), layers };
  }
}
