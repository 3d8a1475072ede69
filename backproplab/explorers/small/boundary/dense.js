// A dense net in plain numbers: Z = A W^T + b, A = g(Z), row after row in Float64Arrays, by the package's conventions.

/** A net whose parameters stand in one row: W1, b1, W2, ..., each row by row. */
export class Dense {
  constructor({ sizes, activations, loss, l2, reduction }) {
    this.loss = loss; this.l2 = l2; this.reduction = reduction; this.passes = new Map(); this.count = 0;
    this.layers = activations.map((name, l) => {
      const below = sizes[l], units = sizes[l + 1], W = this.count, b = W + units * below;
      this.count = b + units;
      return { below, units, W, b, softmax: name === "softmax", g: OPERATIONS.get(name), slope: OPERATIONS.get(`${name}'`) };
    });
    this.outputs = sizes.at(-1);
    this.softplus = OPERATIONS.get("softplus"); this.sigmoid = OPERATIONS.get("sigmoid");
  }

  /** Arrays for n rows; a pass of as many rows writes over the last one. */
  room(n) {
    if (!this.passes.has(n)) {
      if (this.passes.size > 5) this.passes.clear();
      const each = () => this.layers.map(({ units }) => new Float64Array(n * units));
      this.passes.set(n, { n, X: null, Z: each(), A: each(), D: each() });
    }
    return this.passes.get(n);
  }

  /** X, and Z and A of each layer, for the rows of X. */
  forward(weights, X) {
    const pass = this.room(X.length / this.layers[0].below);
    pass.X = X;
    this.layers.forEach((layer, l) => {
      const { below, units, W, b, g } = layer, input = l ? pass.A[l - 1] : X, Z = pass.Z[l], A = pass.A[l];
      for (let n = 0; n < pass.n; n++) for (let j = 0; j < units; j++) {
        let sum = 0;
        for (let i = 0; i < below; i++) sum += input[n * below + i] * weights[W + j * below + i];
        Z[n * units + j] = sum + weights[b + j];
      }
      if (layer.softmax) this.softmax(Z, A, units); else for (let k = 0; k < Z.length; k++) A[k] = g(Z[k]);
    });
    return pass;
  }

  softmax(Z, A, units) {
    for (let at = 0; at < Z.length; at += units) {
      let top = -Infinity, sum = 0;
      for (let k = at; k < at + units; k++) top = Math.max(top, Z[k]);
      for (let k = at; k < at + units; k++) sum += A[k] = Math.exp(Z[k] - top);
      for (let k = at; k < at + units; k++) A[k] /= sum;
    }
  }

  share(n) { return this.reduction === "mean" ? 1 / n : 1; }

  /** The loss of one row, summed over its outputs. */
  lossOf(pass, Y, n) {
    const k = this.outputs, z = pass.Z.at(-1).subarray(n * k, (n + 1) * k), a = pass.A.at(-1).subarray(n * k, (n + 1) * k), y = Y.subarray(n * k, (n + 1) * k);
    if (this.loss === "squared_error") return a.reduce((sum, each, j) => sum + (each - y[j]) ** 2, 0) / 2;
    if (this.loss === "binary_cross_entropy") return z.reduce((sum, each, j) => sum + y[j] * this.softplus(-each) + (1 - y[j]) * this.softplus(each), 0);
    const top = z.reduce((best, each, j) => (each > z[best] ? j : best), 0), others = a.reduce((sum, each, j) => (j === top ? sum : sum + each), 0);
    const least = Math.log1p(others / a[top]); // -log a of the largest, also where a rounds to 1
    return z.reduce((sum, each, j) => sum + y[j] * (least + (z[top] - each)), 0);
  }

  penalty(weights) {
    let sum = 0;
    if (this.l2) for (const { W, b } of this.layers) for (let i = W; i < b; i++) sum += weights[i] ** 2;
    return sum * this.l2 / 2;
  }

  /** L of the rows of a pass. */
  total(weights, pass, Y) {
    let sum = 0;
    for (let n = 0; n < pass.n; n++) sum += this.lossOf(pass, Y, n);
    return sum * this.share(pass.n) + this.penalty(weights);
  }

  /** dL/dZ of the last layer. */
  start(pass, Y, share) {
    const k = this.outputs, { softmax, slope } = this.layers.at(-1), z = pass.Z.at(-1), a = pass.A.at(-1), D = pass.D.at(-1);
    if (this.loss === "cross_entropy") for (let i = 0; i < D.length; i++) D[i] = (a[i] - Y[i]) * share;
    else if (this.loss === "binary_cross_entropy") for (let i = 0; i < D.length; i++) D[i] = ((1 - Y[i]) * this.sigmoid(z[i]) - Y[i] * this.sigmoid(-z[i])) * share;
    else if (!softmax) for (let i = 0; i < D.length; i++) D[i] = (a[i] - Y[i]) * share * slope(z[i]);
    else for (let at = 0; at < D.length; at += k) {
      let mean = 0;
      for (let i = at; i < at + k; i++) mean += (a[i] - Y[i]) * share * a[i];
      for (let i = at; i < at + k; i++) D[i] = a[i] * ((a[i] - Y[i]) * share - mean);
    }
  }

  /** dL/dw of a pass, in one row like the parameters. A single row's own gradient has share 1 and no L2 part. */
  gradient(weights, pass, Y, share = this.share(pass.n), l2 = this.l2) {
    const found = new Float64Array(this.count);
    this.start(pass, Y, share);
    for (let l = this.layers.length - 1; l >= 0; l--) {
      const { below, units, W, b } = this.layers[l], D = pass.D[l], input = l ? pass.A[l - 1] : pass.X;
      for (let n = 0; n < pass.n; n++) for (let j = 0; j < units; j++) {
        const d = D[n * units + j];
        for (let i = 0; i < below; i++) found[W + j * below + i] += d * input[n * below + i];
        found[b + j] += d;
      }
      if (l2) for (let i = W; i < b; i++) found[i] += l2 * weights[i];
      if (l) this.pull(weights, pass, l);
    }
    return found;
  }

  /** dL/dZ of the layer below layer l. */
  pull(weights, pass, l) {
    const { below, units, W } = this.layers[l], { slope } = this.layers[l - 1], D = pass.D[l], lower = pass.D[l - 1], Z = pass.Z[l - 1];
    for (let n = 0; n < pass.n; n++) for (let i = 0; i < below; i++) {
      let sum = 0;
      for (let j = 0; j < units; j++) sum += D[n * units + j] * weights[W + j * below + i];
      lower[n * below + i] = sum * slope(Z[n * below + i]);
    }
  }
}
