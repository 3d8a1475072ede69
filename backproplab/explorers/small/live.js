// A page that a few settings describe: controls set the state, the state sets what is shown, a kernel hears of it at rest.

const REST = 150; // milliseconds
const LOWERED = "₀₁₂₃₄₅₆₇₈₉";

/** A number as an index: z₁₂. */
const index = (value) => [...String(value)].map((digit) => LOWERED[digit]).join("");

/** A control, told to JupyterLab as one: its keys are its own. */
const control = (tag, attributes, ...children) => html(tag, { "data-lm-suppress-shortcuts": "true", ...attributes }, ...children);

/** A room that extends it brings `compose()`, `checked(state)`, `compute(state)`, `numbers()`, `draw()` and `sync()`. */
export class Live {
  constructor(host, sheet, state, bridge, look) {
    Object.assign(this, { sheet, bridge, first: state, fields: [] });
    this.abort = new AbortController();
    this.root = html("div", { class: `bp-page ${look}` });
    this.verdict = html("span", { class: "bp-verdict", role: "status" });
    this.message = html("div", { class: "bp-message", role: "alert" });
    this.compose();
    this.take(state);
    host.append(this.root);
    this.show();
  }

  dispose() {
    this.abort.abort(); this.observer?.disconnect();
    clearTimeout(this.rest); cancelAnimationFrame(this.frame);
    this.root.remove();
  }

  /** Draw anew where a part changes its size; a page that was refused is on no host and draws nothing. */
  watch(node) { (this.observer ??= new ResizeObserver(() => { if (this.root.isConnected) this.schedule(); })).observe(node); }

  listen(node, event, act) {
    node.addEventListener(event, (happened) => { try { act(happened); } catch (error) { this.refuse(error); } }, { signal: this.abort.signal });
  }

  // --- controls ---

  button(text, act, look = "") {
    const node = control("button", { type: "button", class: look }, text);
    this.listen(node, "click", act);
    return node;
  }

  /** A choice; `options` are pairs of value and text. */
  select(label, options, act) {
    const node = control("select", { "aria-label": label }, ...options.map(([value, text]) => html("option", { value }, text)));
    this.listen(node, "change", () => act(node.value));
    return node;
  }

  slider(label, [min, max, step], act) {
    const node = control("input", { type: "range", min, max, step, "aria-label": label });
    this.listen(node, "input", () => act(Number(node.value)));
    return node;
  }

  /** A field in which a number can be typed; it is taken with Enter, or where the field is left. */
  field(label, show, go) {
    const node = control("input", { type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false", "aria-label": label }), entry = { node, show, typing: false };
    const enter = () => {
      if (!entry.typing) return;
      try {
        go(typed(node.value), node.value.trim() || this.sheet.words.nothing);
        entry.typing = false;
      } catch (error) { node.setAttribute("aria-invalid", "true"); throw error; }
    };
    this.listen(node, "input", () => { entry.typing = true; });
    this.listen(node, "keydown", (event) => { if (event.key === "Enter") enter(); });
    this.listen(node, "blur", () => { try { enter(); } finally { entry.typing = false; } this.syncAll(); });
    this.fields.push(entry);
    return node;
  }

  // --- the state ---

  /** Take a state and compute what it gives, or refuse it and leave all as it is. */
  take(asked) {
    const state = this.checked(asked);
    this.found = this.compute(state);
    this.state = state;
  }

  /** Go where the controls say; the kernel hears of it at rest. */
  go(changes) {
    this.message.textContent = "";
    this.take({ ...this.state, ...changes });
    clearTimeout(this.rest);
    this.verdict.textContent = ""; this.verdict.classList.remove("bp-bad");
    this.rest = setTimeout(() => this.tell(), REST);
    this.schedule();
  }

  tell() {
    try { this.bridge.moved?.(this.state, this.numbers()); } catch { this.verdict.textContent = this.sheet.words.nokernel; }
  }

  /** A state that the kernel set. */
  receive(state) {
    clearTimeout(this.rest);
    this.message.textContent = ""; this.verdict.textContent = "";
    this.take(state);
    this.schedule();
  }

  /** The kernel's word on the numbers. */
  judge({ agrees, worst, error }) {
    const { words } = this.sheet;
    this.verdict.textContent = error ? `${words.kernelerror}: ${error}` : agrees ? `✓ ${words.agrees}` : `${words.differs} ${worst}`;
    this.verdict.classList.toggle("bp-bad", Boolean(error) || !agrees);
  }

  refuse(error) {
    this.message.textContent = `${error instanceof Refusal ? "" : `${error.name}: `}${error.message}. ${this.sheet.words.stays}`;
    this.syncAll();
  }

  // --- drawing ---

  schedule() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => { try { this.show(); } catch (error) { this.refuse(error); } });
  }

  show() { this.draw(); this.syncAll(); }

  /** Bring the controls to the state; what is being typed is left alone. */
  syncAll() {
    this.sync();
    this.fields = this.fields.filter(({ node }) => node.isConnected || !this.root.isConnected);
    for (const { node, show, typing } of this.fields) {
      if (typing) continue;
      node.value = plain(show());
      node.removeAttribute("aria-invalid");
    }
  }
}

/** A table of cells with data-row and data-column as one stop of the keyboard: arrows, a click or Enter choose a cell, the pointer points at it. */
function roving(page, table, { choose, point }) {
  const cellOf = (node) => node?.closest?.("[data-row]"), place = (cell) => [Number(cell.dataset.row), Number(cell.dataset.column)];
  const take = (cell) => {
    for (const other of table.querySelectorAll("[data-row]")) other.tabIndex = other === cell ? 0 : -1;
    cell.focus();
    choose(...place(cell));
  };
  page.listen(table, "pointerover", ({ target }) => { const cell = cellOf(target); point(...(cell ? place(cell) : [])); });
  page.listen(table, "pointerleave", () => point());
  page.listen(table, "click", ({ target }) => { const cell = cellOf(target); if (cell) take(cell); });
  page.listen(table, "keydown", (event) => {
    const cell = cellOf(event.target), [row, column] = cell ? place(cell) : [];
    const way = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Enter: [0, 0], " ": [0, 0] }[event.key];
    if (!cell || !way) return;
    event.preventDefault();
    point(); // the cell of the keys counts, wherever the pointer rests
    const to = table.querySelector(`[data-row="${row + way[0]}"][data-column="${column + way[1]}"]`);
    if (to) take(to);
  });
}
