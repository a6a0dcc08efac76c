// Numbers as text. A missing figure is an en dash, never a zero.
const NONE = "–";
const NARROW = "\u202f"; // a space at which no line breaks
const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const trueMinus = (text) => text.replace("-", "−");

function fixed(value, digits = 0) {
  if (!isNumber(value)) return NONE;
  const text = value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return trueMinus(/^-0(\.0*)?$/.test(text) ? text.slice(1) : text);
}

const percent = (share, digits = 1) => (isNumber(share) ? fixed(100 * share, digits) : NONE);
const signed = (value, digits = 1) => (isNumber(value) ? (value > 0 ? "+" : "") + fixed(value, digits) : NONE);
const range = (pair, text) => (Array.isArray(pair) && pair.every(isNumber) ? `[${text(pair[0])}, ${text(pair[1])}]` : "");

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const superscript = (n) => String(n).replace(/\d/g, (d) => SUPERSCRIPTS[d]).replace("-", "⁻");

// FLOPs and the like: 1.34 × 10¹⁴.
function scientific(value, digits = 2) {
  if (!isNumber(value)) return NONE;
  if (Math.abs(value) < 1e6) return fixed(value, 0);
  const [mantissa, exponent] = value.toExponential(digits).split("e");
  return `${trueMinus(mantissa)}${NARROW}×${NARROW}10${superscript(Number(exponent))}`;
}

// Counts in little room: 18.4 k, 1.2 M.
function compact(value) {
  if (!isNumber(value)) return NONE;
  if (Math.abs(value) < 1e4) return fixed(value, 0);
  for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]])
    if (Math.abs(value) >= size) return `${fixed(value / size, Math.abs(value) < 100 * size ? 1 : 0).replace(/\.0$/, "")}${NARROW}${unit}`;
  return fixed(value, 0);
}

// Three significant digits at whatever size: statistics differ in unit.
function significant(value) {
  if (!isNumber(value)) return NONE;
  if (Math.abs(value) >= 1e6) return scientific(value);
  if (Math.abs(value) >= 100) return fixed(value, 0);
  return trueMinus(String(Number(value.toPrecision(3))));
}

function pValue(p) {
  if (!isNumber(p)) return NONE;
  if (p < 0.0001) return "< 0.0001";
  return fixed(p, p < 0.01 ? 4 : p < 0.1 ? 3 : 2);
}
const pEquation = (p) => (isNumber(p) && p < 0.0001 ? "p\u00a0<\u00a00.0001" : `p\u00a0=\u00a0${pValue(p)}`);

function duration(seconds) {
  if (!isNumber(seconds)) return NONE;
  if (seconds < 90) return `${fixed(seconds, seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const plural = (count, one, many = `${one}s`) => `${fixed(count, 0)} ${count === 1 ? one : many}`;
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const words = (name) => capital(name.replaceAll("_", " ").replaceAll("-", " "));
