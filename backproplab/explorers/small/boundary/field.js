// A net's answers over a part of the plane: colours on a grid, the line where the answer changes, and each first unit's line.

const CELLS = 60; // of the grid, across and down; its corners are where the net is asked

/** The corners of the grid over [x0, x1] and [y0, y1], row by row from the top. */
export function corners([x0, x1], [y0, y1], cells = CELLS) {
  const found = new Float64Array(2 * (cells + 1) ** 2);
  for (let row = 0, at = 0; row <= cells; row++) for (let column = 0; column <= cells; column++) {
    found[at++] = x0 + (x1 - x0) * column / cells;
    found[at++] = y1 - (y1 - y0) * row / cells;
  }
  return found;
}

/** The channels of a colour that a style names. */
const channels = (style, name) => { const text = style.getPropertyValue(name).trim(); return [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16)); };

/** Each corner in the colour of the class that wins there, paler where the net is less sure; the card's where there is no number. */
function colored(pass, outputs, [card, ...classes], strength) {
  const A = pass.A.at(-1), image = new ImageData(CELLS + 1, CELLS + 1), even = outputs === 1 ? 0.5 : 1 / outputs;
  for (let n = 0; n < pass.n; n++) {
    let best = 0, most = outputs === 1 ? A[n] : A[n * outputs];
    if (outputs === 1) { best = most >= 0.5 ? 1 : 0; most = best ? most : 1 - most; }
    for (let k = 1; k < outputs; k++) if (A[n * outputs + k] > most) { most = A[n * outputs + k]; best = k; }
    const sure = strength * Math.max(0, (most - even) / (1 - even)) || 0;
    for (let c = 0; c < 3; c++) image.data[4 * n + c] = card[c] + sure * (classes[best][c] - card[c]);
    image.data[4 * n + 3] = 255;
  }
  return image;
}

/** Where another class begins to win: pieces [x, y, x, y] in cells, from the logits at the corners, straight inside each cell.
 * Of one sigmoid the logit stands against 0. Where more than two crossings meet in a cell they meet in their middle. */
export function borders(Z, outputs, cells = CELLS) {
  const wide = cells + 1, pieces = [], logit = (n, k) => (outputs === 1 ? (k ? Z[n] : 0) : Z[n * outputs + k]), winner = new Int8Array(wide * wide);
  for (let n = 0; n < winner.length; n++) {
    let best = outputs === 1 ? Number(Z[n] >= 0) : 0, known = true;
    for (let k = 0; k < outputs; k++) { known &&= Number.isFinite(Z[n * outputs + k]); if (outputs > 1 && Z[n * outputs + k] > Z[n * outputs + best]) best = k; }
    winner[n] = known ? best : -1;
  }
  for (let row = 0; row < cells; row++) for (let column = 0; column < cells; column++) {
    const at = row * wide + column, around = [[at, column, row], [at + 1, column + 1, row], [at + wide + 1, column + 1, row + 1], [at + wide, column, row + 1]];
    if (around.every(([n]) => winner[n] === winner[at]) || around.some(([n]) => winner[n] < 0)) continue;
    const found = [];
    around.forEach(([p, x, y], i) => {
      const [q, u, v] = around[(i + 1) % 4], [a, b] = [winner[p], winner[q]];
      if (a === b) return;
      const here = logit(p, a) - logit(p, b), there = logit(q, b) - logit(q, a), part = here + there > 0 ? here / (here + there) : 0.5;
      found.push([x + part * (u - x), y + part * (v - y)]);
    });
    if (found.length === 2) pieces.push(found.flat());
    else {
      const middle = [0, 1].map((axis) => found.reduce((sum, end) => sum + end[axis], 0) / found.length);
      pieces.push(...found.map((end) => [...end, ...middle]));
    }
  }
  return pieces;
}

/** Where u x + v y + b = 0 crosses the box: two ends [x, y], or null. */
export function crossing([u, v, b], [x0, x1], [y0, y1]) {
  const ends = [], add = (x, y) => { if (x >= x0 && x <= x1 && y >= y0 && y <= y1 && !ends.some(([p, q]) => p === x && q === y)) ends.push([x, y]); };
  for (const x of [x0, x1]) if (v) add(x, -(u * x + b) / v);
  for (const y of [y0, y1]) if (u) add(-(v * y + b) / u, y);
  return ends.length < 2 ? null : [ends[0], ends.at(-1)];
}
