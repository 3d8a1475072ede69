// The values of every operation in plain numbers, for the browser: the forms, conventions and edge cases of
// functions/values.py, activations.py and operations.py. exp(-|z|) never overflows, and NaN stays NaN.

// erfc by W. J. Cody, Rational Chebyshev approximations for the error function, Math. Comp. 23 (1969), 631-637:
// numerator and denominator, highest power first, with the coefficients to the digits of his routine CALERF (1990).
const NEAR_ZERO = [ // erf(x) / x in x^2, for |x| <= 0.46875
  [1.85777706184603153e-1, 3.1611237438705656, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3],
  [1, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3],
];
const BETWEEN = [ // exp(x^2) erfc(x) in x, up to 4
  [2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1, 2.98635138197400131e2,
    8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3],
  [1, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
    3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3],
];
const FAR = [ // (1 / sqrt(pi) - x exp(x^2) erfc(x)) x^2 in 1 / x^2, above 4
  [1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
    1.60837851487422766e-2, 6.58749161529837803e-4],
  [1, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2, 2.33520497626869185e-3],
];

const polynomial = (coefficients, x) => coefficients.reduce((sum, c) => sum * x + c, 0);
const ratio = ([above, below], x) => polynomial(above, x) / polynomial(below, x);

// exp(-x^2) for x >= 0: the leading part of x has few digits, so that its square is exact.
function expOfSquare(x) {
  const leading = Math.trunc(16 * x) / 16;
  return Math.exp(-leading * leading) * Math.exp(-(x - leading) * (x + leading));
}

function erfc(x) {
  if (Math.abs(x) <= 0.46875) return 1 - x * ratio(NEAR_ZERO, x * x);
  if (x < 0) return 2 - erfc(-x);
  if (x > 28) return 0; // below the smallest subnormal number
  const r = 1 / (x * x);
  return expOfSquare(x) * (x <= 4 ? ratio(BETWEEN, x) : (Math.sqrt(1 / Math.PI) - r * ratio(FAR, r)) / x);
}

const expOfMinus = (z) => Math.exp(-Math.abs(z));

function sigmoid(z) {
  const e = expOfMinus(z);
  return (z >= 0 ? 1 : e) / (1 + e);
}

function sigmoidSlope(z) {
  const e = expOfMinus(z);
  return e / (1 + e * (2 + e));
}

function tanhSlope(z) {
  const e = expOfMinus(z) ** 2; // twice z might overflow
  return (4 * e) / (1 + e * (2 + e));
}

// factor * exp(-size), right to the last bits also where exp(-size) alone would be subnormal.
function timesExp(factor, size) {
  const shift = size >= 600 ? 600 : 0;
  return factor * Math.exp(shift - size) * Math.exp(-shift);
}

// Past |z| = 1500 sigma(-|z|) is 0, past 40 so is the normal tail: bounded there, so that Infinity * 0 never comes up.
function silu(z) {
  const bounded = z < -1500 ? -1500 : z;
  return (z >= 0 ? z : timesExp(bounded, -bounded)) / (1 + expOfMinus(z));
}

function siluSlope(z) {
  const size = Math.abs(z) > 1500 ? 1500 : Math.abs(z);
  const e = Math.exp(-size);
  return (z >= 0 ? 1 + e + timesExp(size, size) : timesExp(1 + e - size, size)) / (1 + e * (2 + e));
}

// The normal distribution function.
const normal = (z) => erfc(-z * Math.sqrt(0.5)) / 2;

function gelu(z) {
  const bounded = z < -40 ? -40 : z;
  return bounded * normal(bounded);
}

function geluSlope(z) {
  const bounded = Math.abs(z) > 40 ? 40 * Math.sign(z) : z;
  return normal(bounded) + bounded * Math.exp((-bounded * bounded) / 2) * (1 / Math.sqrt(2 * Math.PI));
}

// Of zeros that tie the last one is taken, -0 too, as NumPy does on x86; NaN stays NaN.
const maximum = (...z) => z.reduce((top, v) => (top > v || top !== top ? top : v));
const minimum = (...z) => z.reduce((top, v) => (top < v || top !== top ? top : v));

// The slope of max or min by its first argument: 1 where it is the best, shared equally among ties.
const share = (best) => (own, ...z) => {
  const top = best(...z);
  return (own === top ? 1 : 0) / z.filter((v) => v === top).length;
};

const sumOfExp = (z, top) => z.reduce((sum, v) => sum + Math.exp(v - top), 0);

function logsumexp(...z) {
  const top = maximum(...z);
  return top + Math.log(sumOfExp(z, top));
}

function softmaxEntry(own, ...z) {
  const top = maximum(...z);
  return Math.exp(own - top) / sumOfExp(z, top);
}

// 1 to any power is 1, and so is -1 to an infinite one: JavaScript alone says NaN.
const power = (u, n) => (u === 1 || (u === -1 && Math.abs(n) === Infinity) ? 1 : u ** n);

/** Every operation by its name, slopes too ("sigmoid'"); the slope of a function of several takes (z_i, z_1, ..., z_n). */
export const OPERATIONS = new Map([
  ["+", (u, v) => u + v],
  ["-", (u, v) => u - v],
  ["*", (u, v) => u * v],
  ["/", (u, v) => u / v],
  ["**", power],
  ["**'", (u, n) => (u === 0 && n > 0 ? 0 : power(u, n) * Math.log(u))],
  ["negative", (z) => -z],
  ["identity", (z) => z],
  ["identity'", () => 1],
  ["sigmoid", sigmoid],
  ["sigmoid'", sigmoidSlope],
  ["tanh", Math.tanh],
  ["tanh'", tanhSlope],
  ["relu", (z) => Math.max(z, 0)],
  ["relu'", (z) => Math.sign(Math.max(z, 0))],
  ["leaky_relu", (z) => (z <= 0 ? 0.01 * z : z)],
  ["leaky_relu'", (z) => Math.max(Math.sign(z), 0.01)],
  ["softplus", (z) => (z < 0 ? 0 : z) + Math.log1p(expOfMinus(z))],
  ["softplus'", sigmoid],
  ["gelu", gelu],
  ["gelu'", geluSlope],
  ["silu", silu],
  ["silu'", siluSlope],
  ["exp", Math.exp],
  ["exp'", Math.exp],
  ["log", Math.log],
  ["log'", (z) => 1 / z],
  ["sqrt", Math.sqrt],
  ["sqrt'", (z) => 0.5 / Math.sqrt(z)],
  ["sin", Math.sin],
  ["sin'", Math.cos],
  ["cos", Math.cos],
  ["cos'", (z) => -Math.sin(z)],
  ["abs", Math.abs],
  ["abs'", (z) => Math.sign(z) + 0], // + 0, since Math.sign(-0) is -0
  ["max", maximum],
  ["max'", share(maximum)],
  ["min", minimum],
  ["min'", share(minimum)],
  ["logsumexp", logsumexp],
  ["logsumexp'", softmaxEntry],
]);
