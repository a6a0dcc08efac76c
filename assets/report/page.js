// The report's data, and how elements are made. Text of the report only ever becomes text nodes.
const report = JSON.parse(document.getElementById("report-data").textContent);
const list = (name) => (Array.isArray(report[name]) ? report[name].filter((entry) => entry && typeof entry === "object") : []);

const armsByName = new Map(list("arms").map((arm) => [arm.name, arm]));
const armLabel = (name) => armsByName.get(name)?.label ?? words(name);
const armNames = [...armsByName.keys()];
const isBanned = (name) => armsByName.get(name)?.banned === true || name.endsWith("-banned");
const splits = [...new Set(list("scores").map((score) => score.split))];
const scoreOf = (arm, split) => list("scores").find((score) => score.arm === arm && score.split === split);

const MEASURES = {
  "avg@n": "Share of right responses: each problem is sampled n times and every sample counts alike.",
  "pass@k": "Chance that at least one of k samples is right, by the unbiased estimator 1 − C(n−c, k) / C(n, k).",
  "sampling interval": "95 % interval for the same problems sampled anew: the noise of sampling alone.",
  "problem interval": "95 % interval by the spread between problems: what other problems of the same kind could have given.",
  "stop rate": "Share of responses that the model ended by itself.",
  "length rate": "Share of responses cut at the token limit.",
  "unparsed rate": "Share of responses with no answer that could be read; they count as wrong.",
  "mean length": "Mean number of generated tokens a response.",
  "completed accuracy": "Share of right answers among the responses that ended by themselves.",
  "p": "Two-sided sign-flip test on the differences per problem. Below 0.01 counts as a decision here.",
  "per 1,000": "Occurrences in 1,000 lexical tokens (words, numbers, commands, symbols), all responses pooled.",
  "anthropomorphic tokens": "Words of a person thinking aloud: wait, hmm, maybe, let me, I think. Our own list.",
  "logical connectors": "Words that turn or join an argument: but, so, because, instead, alternatively. Our own list.",
  "mathematical tokens": "Numbers, commands such as \\boxed, and the symbols of arithmetic.",
  "z": "Log-odds ratio with an informative Dirichlet prior, in standard deviations; beyond ±2 is hardly chance.",
  "multi-perspective": "Multi-Perspective Thinking or Attempting: changes to a distinct approach within a response.",
  "metacognitive": "Metacognitive Awareness: self-checks, doubts and corrections within a response.",
  "share": "Share of responses in which the behaviour occurs at least once.",
  "budget": "Only an answer that is complete within the first so many tokens counts; the rest is wrong.",
  "FLOPs": "Floating-point operations of training and of the samples drawn for it; pre-training is shown apart.",
  "distinct problems": "Problems seen at least once in training.",
  "occurrences": "Banned words found in the text of all responses after decoding; 0 proves that the ban held.",
  "entropy": "Mean entropy of the next-token distribution over the sampled tokens, in nats.",
};

// A measure's name whose explanation shows on hover, focus and touch.
function term(measure, text = measure) {
  return el("span", { class: "term", tabindex: "0", "data-measure": measure, "aria-description": MEASURES[measure] }, text);
}

function armTag(name) {
  return el("span", { class: "arm" }, swatch(name), armLabel(name));
}

function swatch(name) {
  return el("span", { class: `swatch${isBanned(name) ? " hatched" : ""}`, style: `--arm: ${armVariable(name)}`, "aria-hidden": "true" });
}

const armVariable = (name) => colourOf(name, armNames);

// A wide table scrolls inside its own box, which the keyboard can reach.
function tableBox(caption, head, bodies, { class: kind = "" } = {}) {
  const table = el("table", { class: kind }, el("caption", {}, el("span", {}, caption)), el("thead", {}, head), bodies);
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, table);
}
const columnHead = (content, attributes = {}) => el("th", { scope: "col", ...attributes }, content);
const rowHead = (content, attributes = {}) => el("th", { scope: "row", ...attributes }, content);
const number = (text, note = "", attributes = {}) =>
  el("td", { class: "number", ...attributes }, text, note && note.length > 0 ? el("small", {}, note) : null);

// Rows of plain cells: the first heads its row, the others are figures.
function simpleTable(caption, heads, rows) {
  return tableBox(caption, el("tr", {}, heads.map((head) => columnHead(head))),
    el("tbody", {}, rows.map(([first, ...rest]) => el("tr", {}, rowHead(first), rest.map((cell) => number(cell))))));
}

const sections = [];
// A section of the page with its entry in the contents; without content it is left out.
function addSection(id, title, menu, ...content) {
  const children = content.flat(Infinity).filter(Boolean);
  if (children.length === 0) return;
  const heading = el("h2", { id: `${id}-title` }, title);
  const section = el("section", { id, "aria-labelledby": `${id}-title` }, heading, children);
  document.getElementById("page").append(section);
  document.getElementById("contents").append(el("li", {}, el("a", { href: `#${id}` }, menu)));
  sections.push(section);
}

const paragraph = (...content) => el("p", {}, ...content);
const lead = (...content) => el("p", { class: "lead" }, ...content);
