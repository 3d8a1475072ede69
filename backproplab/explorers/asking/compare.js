// Compare with before: the numbers before the last move beside the present ones.

/** Values and gradients of the quantities that differ from those before the last move. */
class Compare {
  constructor(page) {
    this.page = page;
    this.table = html("table", {});
    this.says = html("div", { class: "bp-route" });
    this.node = html("div", { class: "bp-compare", tabindex: "0", role: "region", "aria-label": page.sheet.words.compared, "data-lm-suppress-shortcuts": "true" }, this.says, this.table);
    this.box = html("input", { type: "checkbox", id: `${page.id}-compare`, "data-lm-suppress-shortcuts": "true" });
    page.listen(this.box, "change", () => page.change({ compare: this.box.checked }));
    this.control = html("label", { for: this.box.id }, this.box, ` ${page.sheet.words.compare}`);
  }

  refresh() {
    const { page } = this, { state, sheet: { words } } = page;
    this.box.checked = state.compare;
    this.node.hidden = !state.compare;
    if (!state.compare) return;
    let rows = [], why = words.unmoved;
    try { if (state.before || page.sheet.was) { rows = this.rows(this.old(state)); why = rows.length ? "" : words.alike; } } catch (error) { why = filled(words.unset, { why: error.message }); }
    this.says.textContent = why;
    const head = [words.quantity, words.wasvalue, words.isvalue, words.wasgradient, words.isgradient].map((text) => html("th", { scope: "col" }, text));
    this.table.replaceChildren(...(rows.length ? [html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...rows)] : []));
  }

  /** {trace, gradient} before the last move; where a function was swapped since, as the kernel found them with the one before. */
  old({ before, output }) {
    const { computation, sheet: { was } } = this.page;
    if (!before) return { trace: new Map(Object.entries(was.trace)), gradient: new Map(was.output === output ? Object.entries(was.gradient) : []) };
    const { trace, terms } = computation.run(before);
    return { trace, gradient: computation.walk(terms, output) };
  }

  /** A row for each quantity that is known and not as it was; what is as it was stays empty. */
  rows(old) {
    const { page } = this, { computation, state, result } = page, far = computation.seen(state), known = (name) => old.trace.has(name) && (!computation.programs.has(name) || far.computed.has(name));
    const now = far.turned ? computation.walk(result.terms, state.output, far.walked) : new Map();
    const pair = (one, other, hidden) => (one === other || one === undefined ? ["", ""] : hidden ? ["?", "?"] : [one, other]).map((value) => { const td = html("td", {}, typeof value === "string" ? value : written(value)); if (typeof value === "number") td.title = String(value); return td; });
    return computation.names.filter(known).flatMap((name) => {
      const slopes = far.unfinished.has(name) || !now.has(name) || !old.gradient.has(name) ? [] : [old.gradient.get(name), now.get(name)], values = [old.trace.get(name), result.trace.get(name)];
      if (values[0] === values[1] && slopes[0] === slopes[1]) return [];
      return [html("tr", { "data-row": name }, html("th", { scope: "row" }, html("span", { class: "bp-heard" }, name), html("span", { "aria-hidden": "true" }, page.math(page.sheet.math.names[name]))), ...pair(...values, false), ...pair(slopes[0], slopes[1], page.hides(state.output, name)))];
    });
  }
}
PARTS.push(Compare);
