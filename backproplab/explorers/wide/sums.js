// The sum behind an entry of the gradient: its formula with numbers, and a bar for each product.

const BAR = { high: 132, least: 4, most: 26, wide: 760 };

/** What the page shows of an entry: value, gradient, and the products whose sum it is. */
class SumPanel {
  constructor(page) {
    this.page = page;
    const { words } = page.sheet;
    this.title = html("div", { class: "bp-sumtitle" });
    this.formula = html("div", { class: "bp-line" });
    this.grid = new Grid(page, words.sum, { text: (_, i) => (this.bars?.length ? this.bars[i].text() : "") });
    this.grid.box.classList.add("bp-products");
    this.scale = html("div", { class: "bp-route" });
    this.total = html("div", { class: "bp-sum" });
    this.node = html("section", { class: "bp-why", "aria-label": words.sum }, this.title, this.formula, this.scale, this.grid.box, this.grid.tip, this.total);
  }

  draw(colors) {
    const { page } = this, { words } = page.sheet, { tensor, at, chosen } = page.asked();
    const name = page.nameOf(tensor, at);
    this.bars = chosen?.left?.length && tensor.recipe.over ? this.products(tensor, at, chosen) : [];
    this.title.textContent = !at ? `dL/d${tensor.name}` : page.describe(tensor, at, chosen.value, chosen.gradient);
    const formula = at ? tensor.recipe?.formula : tensor.whole;
    this.formula.replaceChildren(...[formula, at && chosen.left && tensor.recipe.numbers].filter(Boolean).map((math) => html("div", {}, build(math))));
    this.fill(tensor, at, chosen);
    const { formula: line } = this, scrolls = line.scrollWidth > line.clientWidth; // what scrolls can be reached by keyboard
    for (const [key, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", words.sum]]) if (scrolls) line.setAttribute(key, value); else line.removeAttribute(key);
    this.total.textContent = !at ? [tensor.why, words.whole].filter(Boolean).join(" ") : tensor.why || (chosen.missing ? words.needskernel : this.sentence(tensor, name, chosen));
    const shown = this.bars.length > 0;
    this.grid.box.hidden = this.scale.hidden = !shown;
    if (shown) this.drawBars(colors);
    else this.grid.tip.textContent = "";
  }

  /** The bars: one for each product, times the slope, and one for the L2 part. */
  products(tensor, at, chosen) {
    const { left, right, over } = tensor.recipe, { words, l2 } = this.page.sheet, slope = chosen.slope ?? 1;
    const bars = Array.from(chosen.left, (first, t) => {
      const second = chosen.right[t], size = first * second * slope;
      const text = () => {
        const named = [left, right].filter(Boolean).map((factorOf) => this.page.filled(factorOf.text, tensor, at, { [over]: t }));
        if (chosen.slope !== null) named.push(words.slope);
        const numbers = [factor(first), ...(right ? [factor(second)] : []), ...(chosen.slope !== null ? [factor(chosen.slope)] : [])];
        const head = `${over === "n" ? words.at : words.unit} ${t + 1}: ${named.join(" · ")} = `;
        return head + (numbers.length > 1 ? `${numbers.join(" · ")} = ${written(size)}` : written(size));
      };
      return { size, text };
    });
    if (chosen.direct !== null) bars.push({ size: chosen.direct, text: () => `${words.direct}: ${factor(l2)} · ${this.page.nameOf(tensor, at)} = ${factor(l2)} · ${factor(chosen.value)} = ${written(chosen.direct)}`, direct: true });
    return bars;
  }

  /** The places of the formula: indices from 1, the two largest products in their order, the result. */
  fill(tensor, at, chosen) {
    const texts = new Map();
    if (at) for (const [index, place] of Object.entries(this.page.indices(tensor, at))) texts.set(`x:${index}`, String(place + 1));
    if (at && chosen.left) {
      const order = Array.from(chosen.left, (first, t) => [Math.abs(first * chosen.right[t]), t]).sort((a, b) => b[0] - a[0]).slice(0, 2).map(([, t]) => t).sort((a, b) => a - b);
      order.forEach((t, i) => { texts.set(`x:l${i + 1}`, factor(chosen.left[t])); texts.set(`x:r${i + 1}`, factor(chosen.right[t])); });
      if (chosen.slope !== null) texts.set("x:slope", factor(chosen.slope));
      if (chosen.direct !== null) texts.set("x:direct", factor(chosen.direct));
      texts.set("x:gradient", written(chosen.gradient));
    }
    for (const node of this.formula.querySelectorAll("[data-slot]")) node.textContent = texts.get(node.getAttribute("data-slot")) ?? "?";
  }

  /** The sum in words and numbers: the products together, the slope, the L2 part, the gradient. */
  sentence(tensor, name, chosen) {
    const { words } = this.page.sheet, { over } = tensor.recipe;
    if (!over) return "";
    const products = Array.from(chosen.left, (first, t) => first * chosen.right[t]).reduce((sum, size) => sum + size, 0);
    const head = `${words.total.replace("{count}", chosen.left.length).replace("{over}", words[`over_${over}`])}: ${written(products)}`;
    const slope = chosen.slope === null ? "" : `, ${words.times} ${written(chosen.slope)}`, direct = chosen.direct === null ? "" : `, ${words.plus} ${written(chosen.direct)}`;
    return `${head}${slope}${direct}: dL/d${name} = ${written(chosen.gradient)}`;
  }

  drawBars([cold, , hot]) {
    const { bars } = this, largest = Math.max(...bars.map(({ size }) => Math.abs(size))), width = Math.max(BAR.least, Math.min(BAR.most, Math.floor(BAR.wide / bars.length)));
    const dots = Math.min(2, window.devicePixelRatio || 1), wide = bars.length * width, middle = BAR.high / 2, style = getComputedStyle(this.page.root);
    this.scale.textContent = `${this.page.sheet.words.bars}; ± ${number(largest, 4)}`;
    this.grid.fill(1, bars.length, [width, BAR.high], [wide * dots, BAR.high * dots], (context) => {
      context.setTransform(dots, 0, 0, dots, 0, 0);
      context.clearRect(0, 0, wide, BAR.high);
      bars.forEach(({ size, direct }, i) => {
        const high = largest ? Math.abs(size) / largest * (middle - 4) : 0;
        context.fillStyle = `rgb(${(size < 0 ? cold : hot).join()})`;
        context.fillRect(i * width + 0.5, size < 0 ? middle : middle - high, Math.max(1, width - 1), high);
        if (direct) { context.strokeStyle = style.getPropertyValue("--ink"); context.setLineDash([3, 2]); context.strokeRect(i * width + 1, 2, width - 2, BAR.high - 4); }
      });
      context.fillStyle = style.getPropertyValue("--muted");
      context.fillRect(0, middle - 0.5, wide, 1);
    });
  }
}
