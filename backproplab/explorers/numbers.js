// Numbers as Python writes them, and what may be typed.

const ROOM = 7, LARGEST = 1e300;

/** A number with at most `precision` significant digits, as Python's format "g" has it: ties go to the even digit. */
export function number(value, precision = 6) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value < 0 ? "-inf" : "inf";
  if (value === 0) return "0";
  const long = Math.abs(value).toExponential(60), [mantissa, power] = long.split("e");
  const all = mantissa.replace(".", "");
  let kept = BigInt(all.slice(0, precision)), exponent = Number(power);
  const rest = all.slice(precision);
  if (rest[0] > "5" || (rest[0] === "5" && (/[1-9]/.test(rest.slice(1)) || kept % 2n === 1n))) kept += 1n;
  let digits = kept.toString();
  if (digits.length > precision) { digits = digits.slice(0, -1); exponent += 1; }
  const sign = value < 0 ? "-" : "", trimmed = digits.replace(/0+$/, "");
  if (exponent < -4 || exponent >= precision) {
    return `${sign}${trimmed[0]}${trimmed.length > 1 ? "." + trimmed.slice(1) : ""}e${exponent}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${trimmed}`;
  const whole = digits.slice(0, exponent + 1), fraction = digits.slice(exponent + 1).replace(/0+$/, "");
  return sign + whole + (fraction ? "." + fraction : "");
}

const short = (value, precision = 4) => number(value, precision).replaceAll("-", "−");
const RAISED = Object.fromEntries([..."0123456789-"].map((c, i) => [c, "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"[i]]));

/** A number for a circle or a label: 4 digits, 2 where they need more room than there is. */
export function compact(value) {
  const text = short(value);
  return text.length <= ROOM ? text : short(value, 2);
}

/** A number in a formula: 6 digits, 1.5·10⁻⁷. */
export function written(value) {
  const [mantissa, exponent] = number(value).split("e");
  const power = exponent === undefined ? "" : "·10" + [...exponent].map((c) => RAISED[c]).join("");
  return mantissa.replace("-", "−") + power;
}

/** The same as it stands in a product: in parentheses where its sign or its power of ten needs them. */
export function factor(value) {
  const text = written(value);
  return /^[0-9.]+$/.test(text) ? text : `(${text})`;
}

/** A number as short as it can be typed. */
function plain(value) {
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  let precision = 1;
  while (Number(number(value, precision)) !== value && precision < 17) precision += 1;
  return number(value, precision);
}

/** A typed number, or NaN: digits with a sign, a point, a power of ten; nothing is evaluated. */
export function typed(text) {
  const plain = text.trim().replace("−", "-");
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain) ? Number(plain) : NaN;
}
