// Lines of equal height over a grid, and how they are drawn; levels as in small/descent/contours.py, which makes those of a sheet.

const SERIES = [[1, 2, 5], [1, 1.5, 2, 3, 5, 7]], MOST_LEVELS = 12, ENOUGH = 7, DECADES = 2;
const APART = 0.11, EDGE = 0.05, ROW_TEXT = 26; // shares of the map's width; pixels that two numbers of lines keep apart

/** Round numbers that lie as on a logarithmic scale: over 0, or over the lowest height where that gives too few. */
export function levelsOf(heights) {
  const known = heights.flat().filter(Number.isFinite).sort((a, b) => a - b), low = known[0], top = known.at(-1);
  if (!(top > low)) return [];
  const place = 0.98 * (known.length - 1), under = Math.floor(place), near = known[under] + (place - under) * ((known[under + 1] ?? top) - known[under]);
  const high = near > low ? near : top, unit = 10 ** (Math.floor(Math.log10(high - low)) - 1);
  let chosen = [];
  for (const [base, series] of [...(low >= 0 ? SERIES.map((series) => [0, series]) : []), [Math.floor(low / unit) * unit, SERIES[0]]]) {
    const power = Math.floor(Math.log10(high - base)), steps = Array.from({ length: DECADES + 1 }, (_, k) => series.map((m) => Number(`${m}e${power - DECADES + k}`))).flat();
    chosen = steps.map((step) => Number((base + step).toPrecision(6))).filter((level) => low < level && level < high).slice(-MOST_LEVELS);
    if (chosen.length >= ENOUGH) break;
  }
  return chosen;
}

/** Straight pieces [u, v, u, v] along which the heights pass a level, as shares of width and height: marching squares. */
export function piecesAt(heights, level) {
  const [up, across] = [heights.length - 1, heights[0].length - 1], found = [];
  for (let i = 0; i < up; i++) for (let j = 0; j < across; j++) {
    const corners = [[i, j], [i, j + 1], [i + 1, j + 1], [i + 1, j]], values = corners.map(([a, b]) => heights[a][b]);
    if (!values.every(Number.isFinite)) continue;
    const crossed = values.flatMap((value, k) => {
      const next = (k + 1) % 4, other = values[next];
      if ((value >= level) === (other >= level)) return [];
      const t = (level - value) / (other - value), [[a, b], [c, d]] = [corners[k], corners[next]];
      return [[(b + t * (d - b)) / across, (a + t * (c - a)) / up]];
    });
    const middle = values.reduce((sum, value) => sum + value, 0) / 4 >= level, turned = crossed.length === 4 && middle !== (values[0] >= level);
    const order = turned ? [3, 0, 1, 2] : [0, 1, 2, 3];
    for (let k = 0; k + 1 < crossed.length; k += 2) found.push([...crossed[order[k]], ...crossed[order[k + 1]]]);
  }
  return found;
}

/** [{text, lines, label}] of a grid of heights, rows of equal v from low to high, as the sheet of a descent holds them. */
export function contourMap(heights) {
  const taken = [];
  return levelsOf(heights).map((level) => {
    const lines = piecesAt(heights, level), inner = lines.map(([u, v]) => [u, v]).filter((place) => place.every((c) => Math.abs(c - 0.5) < 0.5 - EDGE));
    const clear = inner.map((place) => [Math.min(1, ...taken.map((other) => Math.hypot(place[0] - other[0], place[1] - other[1]))), place]);
    const [far, label] = clear.reduce((best, one) => (one[0] > best[0] ? one : best), [0, null]), kept = far >= APART ? label : null;
    if (kept) taken.push(kept);
    return { text: short(level, 3), lines, label: kept };
  });
}

/** Contours as elements, `place(u, v)` in pixels; of their numbers those that would touch another are left out. */
export function contourLines(contours, place) {
  const lines = [], texts = [], taken = [];
  for (const { lines: found, label, text } of [...contours].reverse()) {
    const d = found.map((flat) => { let path = ""; for (let i = 0; i < flat.length; i += 2) path += (i ? "L" : "M") + place(flat[i], flat[i + 1]).map((c) => c.toFixed(1)).join(" "); return path; }).join("");
    lines.push(["path", { class: "bp-contour", d }]);
    const at = label && place(...label);
    if (!at || taken.some((other) => Math.hypot(at[0] - other[0], 2 * (at[1] - other[1])) < ROW_TEXT * 1.6)) continue;
    taken.push(at);
    texts.push(["text", { class: "bp-level", x: at[0].toFixed(1), y: (at[1] + 4).toFixed(1), "text-anchor": "middle" }, text]);
  }
  return [...lines, ...texts];
}
