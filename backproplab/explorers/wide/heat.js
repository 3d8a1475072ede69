// Cells: what a kernel's answer holds of each tensor, and a canvas of cells over which a cursor moves.

const LARGEST_CELL = 18, SMALLEST_CELL = 3, WIDE = 384, HIGH = 192, FAR = 8;

/** Numbers from a buffer of an answer: a view into a message need not begin at a multiple of 8 bytes. */
function numbersIn(buffer, Kind) {
  if (!buffer) return new Kind(0);
  const { buffer: bytes, byteOffset, byteLength } = ArrayBuffer.isView(buffer) ? buffer : new Uint8Array(buffer);
  return new Kind(bytes.slice(byteOffset, byteOffset + byteLength));
}

/** An answer's cells by tensor, and what stands behind them; refuses what does not fit the tensors of the sheet. */
function cellsIn(message, wanted, doubles, places, sheet) {
  const cells = new Map();
  let at = 0, placed = 0;
  const fits = (holds) => { if (!holds) throw new Refusal(sheet.words.strange); };
  const take = (count) => { at += count; fits(at <= doubles.length); return doubles.subarray(at - count, at); };
  fits(Array.isArray(message) && message.length === sheet.tensors.length);
  sheet.tensors.forEach((tensor, i) => {
    const { name, cells: size, block, scales } = message[i], whole = matrix(tensor.shape), kinds = tensor.why ? ["value"] : ["value", "gradient"];
    fits(name === tensor.name && [0, 1].every((axis) => Number.isInteger(block[axis]) && block[axis] > 0 && size[axis] === Math.ceil(whole[axis] / block[axis])) && scales.length === kinds.length && scales.every((scale) => Number.isFinite(scale) && scale >= 0));
    const count = size[0] * size[1], pooled = block[0] * block[1] > 1, found = { size, block, scales, pooled };
    const ways = wanted.filter((kind) => kinds.includes(kind));
    for (const by of pooled && ways.length ? ways : ["value"]) {
      const layer = found[by] = { places: null };
      if (pooled) { placed += count; fits(placed <= places.length); layer.places = places.subarray(placed - count, placed); fits(layer.places.every((place) => place < whole[0] * whole[1])); }
      for (const kind of kinds) layer[kind] = take(count);
      fits(kinds.every((kind) => layer[kind].every(Number.isFinite)));
    }
    for (const kind of wanted) found[kind] ??= found.value;
    cells.set(name, found);
  });
  return { cells, rest: doubles.subarray(at) };
}

/** A shape as rows and columns; one axis is one row. */
const matrix = (shape) => (shape.length > 1 ? shape : [1, shape[0]]);

/** A canvas of cells in a box that scrolls, one stop of the keyboard: `text(row, column)` names the cell under the cursor. */
class Grid {
  constructor(page, label, { text, choose = () => {} }) {
    Object.assign(this, { page, label, text, choose, row: 0, column: 0, rows: 1, columns: 1 });
    this.canvas = html("canvas", { tabindex: "0", role: "application", "aria-label": label, "data-lm-suppress-shortcuts": "true" });
    this.cursor = html("div", { class: "bp-cursor" });
    this.box = html("div", { class: "bp-grid" }, this.canvas, this.cursor);
    this.tip = html("div", { class: "bp-tip", "aria-live": "polite" });
    page.listen(this.canvas, "keydown", (event) => this.key(event));
    page.listen(this.canvas, "focus", () => this.move(this.row, this.column));
    page.listen(this.canvas, "blur", () => this.leave());
    page.listen(this.canvas, "pointermove", (event) => this.say(...this.under(event)));
    page.listen(this.canvas, "pointerleave", () => this.leave());
    page.listen(this.canvas, "click", (event) => { this.move(...this.under(event)); this.choose(this.row, this.column); });
  }

  /** New cells: `paint(context)` draws them on a canvas of the given size in pixels; each is shown `width` by `height`. */
  fill(rows, columns, [width, height], [wide, high], paint) {
    Object.assign(this, { rows, columns, width, height });
    if (this.canvas.width !== wide || this.canvas.height !== high) { this.canvas.width = wide; this.canvas.height = high; }
    this.canvas.style.width = `${columns * width}px`; this.canvas.style.height = `${rows * height}px`;
    paint(this.canvas.getContext("2d"));
    this.row = Math.min(this.row, rows - 1); this.column = Math.min(this.column, columns - 1);
    const text = this.text(this.row, this.column);
    this.canvas.setAttribute("aria-label", `${this.label}: ${text}`);
    if (document.activeElement === this.canvas) this.move(this.row, this.column);
    else this.leave();
  }

  under(event) {
    const box = this.canvas.getBoundingClientRect(), inside = (place, most) => Math.max(0, Math.min(most - 1, Math.floor(place)));
    return [inside((event.clientY - box.top) / this.height, this.rows), inside((event.clientX - box.left) / this.width, this.columns)];
  }

  key(event) {
    const { row, column, rows, columns } = this;
    const to = { ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], Home: [row, 0], End: [row, columns - 1], PageUp: [row - FAR, column], PageDown: [row + FAR, column] }[event.key];
    if (to) this.move(Math.max(0, Math.min(rows - 1, to[0])), Math.max(0, Math.min(columns - 1, to[1])));
    else if (event.key === "Enter" || event.key === " ") this.choose(row, column);
    else return;
    event.preventDefault();
  }

  /** The cursor on a cell, with its text, scrolled into the box. */
  move(row, column) {
    Object.assign(this, { row, column });
    this.place(this.cursor, row, column);
    this.say(row, column);
    this.canvas.setAttribute("aria-label", `${this.label}: ${this.tip.textContent}`);
    for (const [scroll, client, start, size] of [["scrollLeft", "clientWidth", column * this.width, this.width], ["scrollTop", "clientHeight", row * this.height, this.height]]) {
      if (start < this.box[scroll]) this.box[scroll] = start;
      else if (start + size > this.box[scroll] + this.box[client]) this.box[scroll] = start + size - this.box[client];
    }
  }

  say(row, column) { this.tip.textContent = this.text(row, column); }

  leave() { if (document.activeElement === this.canvas) this.say(this.row, this.column); else { this.tip.textContent = ""; this.cursor.style.display = "none"; } }

  place(node, row, column, rows = 1, columns = 1) {
    Object.assign(node.style, { display: "block", left: `${column * this.width}px`, top: `${row * this.height}px`, width: `${columns * this.width}px`, height: `${rows * this.height}px` });
  }
}

/** The channels of the page's colours: below zero, zero, above zero. */
function palette(root) {
  const style = getComputedStyle(root);
  return ["--cold", "--card", "--hot"].map((name) => { const text = style.getPropertyValue(name).trim(); return [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16)); });
}

/** A tensor's card: its name and shape, its cells, the largest |.|, and the text of a cell. */
class Heat {
  constructor(page, tensor) {
    Object.assign(this, { page, tensor });
    this.grid = new Grid(page, `${tensor.name} (${tensor.shape.join(", ")})`, { text: (row, column) => this.text(row, column), choose: (row, column) => page.choose(tensor, this.entry(row, column)) });
    this.scale = html("span", { class: "bp-scale" });
    this.note = html("div", { class: "bp-note" });
    const head = html("div", { class: "bp-cardhead" }, html("strong", {}, build(tensor.math)), html("span", { class: "bp-route" }, `(${tensor.shape.join(", ")})`), this.scale);
    this.marks = ["example", "left", "right", "chosen"].map((kind) => html("div", { class: `bp-mark bp-is-${kind}` }));
    this.grid.box.append(...this.marks);
    this.card = html("section", { class: "bp-card", "aria-label": tensor.name }, head, this.grid.box, html("div", { class: "bp-words" }, this.grid.tip, this.note));
  }

  get layer() { return this.page.view.cells.get(this.tensor.name)[this.page.show]; }

  /** The entry that a cell shows, as row and column from 0. */
  entry(row, column) {
    const at = row * this.grid.columns + column, place = this.layer.places ? this.layer.places[at] : at, [, columns] = matrix(this.tensor.shape);
    return [Math.floor(place / columns), place % columns];
  }

  text(row, column) {
    const at = row * this.grid.columns + column, { value, gradient } = this.layer;
    return this.page.describe(this.tensor, this.entry(row, column), value[at], gradient?.[at]);
  }

  draw(colors) {
    const { view, show, sheet } = this.page, found = view.cells.get(this.tensor.name), [rows, columns] = found.size;
    const numbers = this.layer[show], scale = found.scales[show === "value" ? 0 : 1], { words } = sheet;
    const side = (most, count) => Math.max(SMALLEST_CELL, Math.min(LARGEST_CELL, Math.floor(most / count)));
    this.grid.fill(rows, columns, [side(WIDE, columns), side(HIGH, rows)], [columns, rows], (context) => {
      const image = context.createImageData(columns, rows), [cold, middle, hot] = colors;
      for (let i = 0; i < rows * columns; i++) {
        const share = numbers && scale ? numbers[i] / scale : 0, end = share < 0 ? cold : hot, part = Math.abs(share);
        for (let c = 0; c < 3; c++) image.data[4 * i + c] = Math.round(middle[c] + part * (end[c] - middle[c]));
        image.data[4 * i + 3] = 255;
      }
      context.putImageData(image, 0, 0);
    });
    this.grid.box.classList.toggle("bp-absent", !numbers);
    this.scale.textContent = numbers ? `± ${number(scale, 4)}` : words.none;
    const pooled = found.pooled ? words.cells.replace("{rows}", found.block[0]).replace("{columns}", found.block[1]) : "";
    this.note.textContent = show === "gradient" && this.tensor.why ? this.tensor.why : pooled;
  }

  /** Frames: the row of the example, the entry asked for, and the row or column of each factor of its sum. */
  frame() {
    const { page, tensor, grid } = this, { block } = page.view.cells.get(tensor.name), { tensor: asked, at } = page.asked();
    const cell = ([row, column]) => [row === null ? null : Math.floor(row / block[0]), column === null ? null : Math.floor(column / block[1])];
    const factors = at && asked.recipe ? [asked.recipe.left, asked.recipe.right] : [null, null], places = at && { ...page.indices(asked, at) };
    const strips = factors.map((part) => (part?.of === tensor.name ? part.at.map((index) => places[index] ?? null) : null));
    const wanted = [page.batched(tensor) ? [page.state.example, null] : null, ...strips, at && asked === tensor ? at : null];
    this.marks.forEach((mark, i) => {
      if (!wanted[i]) { mark.style.display = "none"; return; }
      const [row, column] = cell(wanted[i]);
      grid.place(mark, row ?? 0, column ?? 0, row === null ? grid.rows : 1, column === null ? grid.columns : 1);
    });
  }
}
