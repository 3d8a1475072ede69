// Elements from closed lists: no markup from strings.

const SVG = "http://www.w3.org/2000/svg", MATHML = "http://www.w3.org/1998/Math/MathML";

/** What a page may have besides, each in a room of its own: a class with `node`, `refresh()`; some say what the page hides, or hear what was done. */
const PARTS = [];

/** Something that the page refuses, with the reason in words. */
class Refusal extends Error {}

const TAGS = new Set(["svg", "g", "path", "circle", "rect", "text", "tspan", "polygon", "title", "math", "mrow", "mi", "mn", "mo", "ms", "mtext", "mspace", "mfrac", "msqrt", "mroot", "msup", "msub", "msubsup", "mover", "munder", "munderover", "mtable", "mtr", "mtd", "mstyle", "mpadded", "mphantom"]);
const ATTRIBUTES = new Set(["class", "d", "x", "y", "r", "cx", "cy", "rx", "width", "height", "viewBox", "points", "dx", "dy", "font-size", "font-style", "font-weight", "text-anchor", "stroke-width", "stroke-dasharray", "fill-opacity", "data-slot", "data-mark", "data-pick", "data-input", "data-term", "mathvariant", "stretchy", "display", "displaystyle", "scriptlevel", "columnalign", "mathcolor", "accent", "fence", "form", "lspace", "rspace", "separator", "width", "xmlns", "linethickness", "symmetric", "movablelimits", "largeop", "minsize", "maxsize", "style"]);

/** An element of the sheet as a node: tags and attributes from closed lists, texts as text. */
export function build([tag, attributes, ...children], space = null) {
  if (!TAGS.has(tag)) throw new Refusal(`the sheet holds an element ${tag}`);
  const inside = tag === "svg" ? SVG : tag === "math" ? MATHML : space;
  const node = document.createElementNS(inside, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (!ATTRIBUTES.has(name)) throw new Refusal(`the sheet holds an attribute ${name}`);
    if (name === "style" && !/^text-align:-webkit-(left|right|center)(;padding-(left|right):0)?$/.test(value)) throw new Refusal(`the sheet holds a style ${value}`);
    if (name !== "xmlns") node.setAttribute(name, String(value));
  }
  for (const child of children) node.append(Array.isArray(child) ? build(child, inside) : document.createTextNode(String(child)));
  return node;
}

/** A derivative as MathML, from the names of its quantities. */
function fraction(names, [of, wrt], sign = "∂") {
  const inside = (name) => ["mrow", {}, ["mi", { mathvariant: "normal" }, sign], ...names[name].slice(2)];
  return ["math", {}, ["mfrac", {}, inside(of), inside(wrt)]];
}

function html(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** A part of the page with what it holds where it is wanted, empty where it is not. */
function offer(node, inside, wanted) {
  node.hidden = !wanted;
  if (!wanted) node.replaceChildren(); else if (!node.firstChild) node.append(...inside);
}

/** Whether motion is unwelcome. */
const plainly = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
/** A text with values in its places {name}. */
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(values, name) ? String(values[name]) : whole));

const icon = (d) => { const node = build(["svg", { viewBox: "0 0 16 16", width: "14", height: "14" }, ["path", { d }]]); node.setAttribute("aria-hidden", "true"); return node; };
const ICONS = { first: "M2 2h2v12H2zM14 2v12L5 8z", back: "M12 2v12L3 8z", next: "M4 2v12l9-6z", last: "M12 2h2v12h-2zM2 2v12l9-6z" };
