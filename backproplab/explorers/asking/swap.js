// Another function in the place of one of the model's: the kernel makes the new sheet, the page marks what has changed.

const MOST_NAMED = 8;

/** A menu for each place where another activation or loss can stand; closed where no kernel answers. */
class Swap extends Panel {
  constructor(page) { super(page, "swap"); this.reveals = false; this.node.open = page.sheet.swapped.length > 0; }
  get wanted() { return Object.keys(this.page.sheet.functions).length > 0; }
  get key() { return "once"; }
  title() { return this.words.swap; }

  compose() {
    const { page, words } = this, { functions, swapped } = page.sheet;
    const labels = Object.entries(functions).map(([place, [now, choices, name]]) => {
      const select = html("select", { "aria-label": `${words.swap}: ${place}`, "data-swap": place, "data-lm-suppress-shortcuts": "true" }, ...choices.map((name) => html("option", { value: name }, words[name] ?? name)));
      select.value = now; select.disabled = page.alone;
      page.listen(select, "change", () => { page.bridge.swap({ [place]: select.value }); select.value = now; });
      return html("label", {}, page.math(name), ": ", select);
    });
    const changed = swapped.slice(0, MOST_NAMED).map((term) => html("span", { class: "bp-named" }, page.math(page.terms.get(term).symbol)));
    const more = swapped.length > MOST_NAMED ? [filled(words.swapmore, { count: swapped.length - MOST_NAMED })] : [];
    const note = page.alone ? [html("div", { class: "bp-route" }, words.swapkernel)] : [];
    this.body.replaceChildren(html("div", { class: "bp-head" }, ...labels), ...note, ...(swapped.length ? [html("div", { class: "bp-head" }, words.swapped, ...changed, ...more)] : []));
  }

  draw() {}

  /** Mark the terms that the last swap has changed, wherever they stand. */
  refresh() {
    super.refresh();
    for (const term of this.page.sheet.swapped) {
      for (const node of this.page.root.querySelectorAll(`.bp-factor[data-term="${CSS.escape(term)}"], .bp-figure[data-term="${CSS.escape(term)}"]`)) node.classList.add("bp-swapped");
      for (const node of this.page.parts.get(`t:${term}`) ?? []) node.classList.add("bp-swapped");
    }
  }
}
PARTS.push(Swap);
