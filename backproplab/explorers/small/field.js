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

/** By how much a class wins at each corner, in logits: 0 is the boundary. One array for each line to draw. */
function leads(pass, outputs) {
  const Z = pass.Z.at(-1);
  if (outputs === 1) return [Z];
  const lead = (k) => Float64Array.from({ length: pass.n }, (_, n) => {
    let other = -Infinity;
    for (let j = 0; j < outputs; j++) if (j !== k) other = Math.max(other, Z[n * outputs + j]);
    return Z[n * outputs + k] - other;
  });
  return Array.from({ length: outputs === 2 ? 1 : outputs }, (_, k) => lead(k + (outputs === 2)));
}

/** Where a function on the corners is 0: pieces [x, y, x, y] in cells, straight inside each cell (marching squares). */
export function contour(f, cells = CELLS) {
  const pieces = [], wide = cells + 1;
  for (let row = 0; row < cells; row++) for (let column = 0; column < cells; column++) {
    const at = row * wide + column, [a, b, c, d] = [f[at], f[at + 1], f[at + wide + 1], f[at + wide]];
    if (a >= 0 === b >= 0 && b >= 0 === c >= 0 && c >= 0 === d >= 0) continue;
    if (![a, b, c, d].every(Number.isFinite)) continue;
    const found = [];
    if (a >= 0 !== b >= 0) found.push(column + a / (a - b), row);
    if (b >= 0 !== c >= 0) found.push(column + 1, row + b / (b - c));
    if (c >= 0 !== d >= 0) found.push(column + d / (d - c), row + 1);
    if (d >= 0 !== a >= 0) found.push(column, row + a / (a - d));
    if (found.length === 4) pieces.push(found);
    else { // a saddle: the middle says which corners belong together
      const together = (a + b + c + d >= 0) === (a >= 0), [top, right, below, left] = [0, 2, 4, 6].map((i) => found.slice(i, i + 2));
      pieces.push(...(together ? [[...top, ...right], [...below, ...left]] : [[...left, ...top], [...right, ...below]]));
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
