// How elements are made. Text only ever becomes text nodes and attributes, never markup.
const root = document.documentElement;

// The property `class` names classes, functions listen to the event of that name, the rest are attributes.
function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "class") element.className = value;
    else if (key === "style") element.style.cssText = value; // which a policy without inline styles allows
    else if (typeof value === "function") element.addEventListener(key, value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const ARM_COLOURS = ["base", "distilled", "distilled-rigid", "zero-rl", "distilled-rl", "distilled-banned", "zero-rl-banned"];
// The colour of a model or an arm among all that a page shows: those that the style does not know take the colours of
// those that are not there.
function colourOf(name, names) {
  if (ARM_COLOURS.includes(name)) return `var(--arm-${name})`;
  const free = ["distilled", "zero-rl", "distilled-rigid", "distilled-rl", "zero-rl-banned", "base", "distilled-banned"].filter((known) => !names.includes(known));
  const unknown = names.filter((other) => !ARM_COLOURS.includes(other));
  return free.length > 0 ? `var(--arm-${free[Math.max(0, unknown.indexOf(name)) % free.length]})` : "var(--ink)";
}

let choices = 0;
// A labelled <select>; calls change with the chosen value.
function choice(label, options, chosen, change) {
  const id = `choice-${++choices}`;
  const select = el("select", { id, change: () => change(select.value) },
    options.map(([value, text]) => el("option", { value, selected: value === chosen }, text)));
  return el("span", { class: "choice" }, el("label", { for: id }, label), select);
}
