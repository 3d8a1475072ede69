// What a net's sizes say, in words and in one step's numbers.

const FACTORS = ["weights", "slopes", "norm", "past", "product", "ratio"]; // what each step back is made of
/** Times that the gradients of the first and the last layer may differ and still be of like size, and still let all layers learn. */
const ALIKE = 10, LOPSIDED = 1000;

/** A mark as it stands in a plot. */
function swatch(name) {
  const node = build(["svg", { class: "bp-swatch", viewBox: "0 0 22 14", width: "22", height: "14" }, marks(name, [[11, 7]], 4)]);
  node.setAttribute("aria-hidden", "true");
  return node;
}

/** Marks with their names; `more` is said after them. */
function legend(names, words, more = "") {
  return html("ul", { class: "bp-legend" }, ...names.map((name) => html("li", {}, swatch(name), words[name])), ...(more ? [html("li", { class: "bp-quiet" }, more)] : []));
}

/** The factors of a view, each with its name; with residuals what is predicted is a sum. */
const named = (view, words) => FACTORS.filter((name) => view[name]).map((name) => [name, name === "product" && view.past ? words.together : words[name]]);

/** What becomes of delta, why, and what it means for learning. */
function outcomeOf({ view, depth, width }, words) {
  const { outcome, factor, means, deltas = [], gradients = [], overflow, dead } = view, [name, layer] = overflow ?? ["", view.zeros];
  const head = html("strong", {}, filled(words[outcome], { name, layer })), lines = [], ratio = gradients[0] / gradients[depth - 1], most = outcome === "holds" ? LOPSIDED : ALIKE;
  const ends = { depth, first: brief(deltas[depth - 1]), last: brief(deltas[0]), factor: brief(factor) };
  lines.push(html("div", { class: `bp-is-${outcome}` }, head, ". ", words[`${outcome}_why`] ?? filled(words.path, ends)));
  if (factor) lines.push(html("div", { class: "bp-why" }, `${words.why} `, ...whyOf(view, words)));
  const sides = { depth, times: brief(ratio < 1 ? 1 / ratio : ratio), first: brief(gradients[0]), last: brief(gradients[depth - 1]) };
  if (factor) lines.push(html("div", {}, filled(words[ratio < 1 / most ? "slow" : ratio > most ? "fast" : `both_${outcome}`], sides)));
  if (dead) lines.push(html("div", {}, filled(words.dead, { dead: dead.reduce((a, b) => a + b), units: (depth - 1) * width })));
  return lines;
}

/** weights × slopes = product, as marks and numbers. */
function whyOf({ means, past }, words) {
  const part = (name, text = words[name]) => html("span", { class: `bp-part ${SERIES[name][0]}` }, swatch(name), `${text} ${brief(means[name])}`);
  const product = ["weights", "slopes", "norm"].filter((name) => means[name] !== undefined).flatMap((name, i) => (i ? [" × ", part(name)] : [part(name)]));
  return [...product, ...(past ? [`, ${words.and} `, part("past"), ", ", part("product", words.together)] : [" = ", part("product", "")]), "; ", part("ratio")];
}

/** One step back: on paper, in numbers, and as a table of its factors. */
function cardOf({ view, layer, width, activation, init, batch_norm, residual }, { words, steps, notes }) {
  const below = layer - 2, places = { layer, below: layer - 1 }, value = (name) => view[name]?.[below] ?? null;
  const about = { product: view.past ? words.together_is : view.norm ? words.product_norm_is : words.product_is };
  const note = { slopes: notes[activation], weights: notes[typeof init === "number" ? "number" : init] };
  const rows = named(view, words).map(([name, text]) => html("tr", { class: name === "product" || name === "ratio" ? "bp-result" : "" },
    html("th", { scope: "row" }, swatch(name), text), html("td", { class: "bp-quiet" }, filled(about[name] ?? words[`${name}_is`], places), ...(note[name] ? [html("div", {}, note[name])] : [])), html("td", { class: "bp-value" }, brief(value(name)))));
  if (view.dead) rows.push(html("tr", {}, html("th", { scope: "row" }, words.dead_units), html("td", { class: "bp-quiet" }, filled(words.dead_is, places)), html("td", { class: "bp-value" }, `${view.dead[below]} ${words.of} ${width}`)));
  const size = (at) => brief(view.deltas?.[at] ?? null), paper = html("div", { class: "bp-paper" }, build(steps[`${Number(batch_norm)}${Number(residual)}`]));
  if (batch_norm) paper.append(html("span", { class: "bp-quiet" }, words.on_the_norm));
  return [html("div", { class: "bp-caption" }, filled(words.step, places)), paper,
    html("div", { class: "bp-numbers" }, filled(words.from_to, { ...places, from: size(layer - 1), to: size(below) })),
    html("table", {}, html("tbody", {}, ...rows)), html("p", { class: "bp-note" }, words.size_is), ...(view.overflow?.[2] ? [html("p", { class: "bp-note" }, view.overflow[2])] : [])];
}
