// Responses side by side, with tokens and behaviours marked in the text.
const KINDS = {
  anthropomorphic: ["Anthropomorphic token", "token"], logical: ["Logical connector", "token"], mathematical: ["Mathematical token", "token"],
  perspective: ["Another approach", "behaviour"], approaches: ["First approach", "behaviour"], attempts: ["Attempt", "behaviour"], checks: ["Self-check", "behaviour"],
  doubts: ["Doubt, noticed failure", "behaviour"], corrections: ["Correction", "behaviour"], backtracks: ["Backtracking", "behaviour"],
  verifications: ["Final verification", "behaviour"], true_steps: ["Right step", "behaviour"], false_steps: ["Wrong step", "behaviour"],
};
const QUIET_KINDS = ["attempts", "approaches", "true_steps", "mathematical"];
const kindTitle = (kind) => KINDS[kind]?.[0] ?? words(kind);

// For each byte offset of the text's UTF-8 form, the index in the string: spans are given in bytes, strings are UTF-16.
function byteOffsets(text) {
  const index = [];
  let at = 0;
  for (const character of text) {
    const code = character.codePointAt(0), bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (let i = 0; i < bytes; i++) index.push(at);
    at += character.length;
  }
  index.push(at);
  return (offset) => index[Math.min(Math.max(0, Math.trunc(offset)), index.length - 1)] ?? 0;
}

// The text cut at every border of a shown span; spans may overlap, so each piece carries the kinds that cover it.
function markedText(text, spans) {
  const toIndex = byteOffsets(text);
  const shown = spans.map((span) => ({ kind: span.kind, begin: toIndex(span.begin), end: toIndex(span.end) })).filter((span) => span.end > span.begin);
  const cuts = [...new Set([0, text.length, ...shown.flatMap((span) => [span.begin, span.end])])].sort((a, b) => a - b);
  return cuts.slice(1).map((end, i) => {
    const piece = text.slice(cuts[i], end);
    const kinds = [...new Set(shown.filter((span) => span.begin <= cuts[i] && span.end >= end).map((span) => span.kind))];
    if (kinds.length === 0) return piece;
    return el("mark", { class: kinds.map((kind) => `k-${kind in KINDS ? kind : "other"}`).join(" "), title: kinds.map(kindTitle).join(", ") }, piece);
  });
}

const VERDICTS = { right: "✓", wrong: "✗", unparsed: "?" };

function responseCard(response, hidden) {
  const spans = Array.isArray(response.spans) ? response.spans : [];
  const count = (type) => spans.filter((span) => (KINDS[span.kind]?.[1] ?? "behaviour") === type && !QUIET_KINDS.includes(span.kind)).length;
  const ended = response.finish_reason === "stop" ? "ended by itself" : "cut at the limit";
  return el("article", { class: "response", style: `--arm: ${armVariable(response.arm)}`, "aria-label": `${armLabel(response.arm)}, sample ${response.sample + 1}` },
    el("header", {}, el("h4", {}, armTag(response.arm)), el("span", { class: `chip ${response.verdict in VERDICTS ? response.verdict : "unparsed"}` },
      el("span", { "aria-hidden": "true" }, VERDICTS[response.verdict] ?? "?"), ` ${response.verdict}`)),
    el("p", { class: "meta" }, `${plural(response.tokens, "token")}, ${ended} · ${plural(count("token"), "marked word")}, ${plural(count("behaviour"), "behaviour")}`),
    el("div", { class: "text", tabindex: "0", role: "group", "aria-label": "Text of the response" }, markedText(response.text ?? "", spans.filter((span) => !hidden.has(span.kind)))));
}

function addBrowser() {
  const problems = list("browser");
  if (problems.length === 0) return;
  const all = problems.flatMap((problem) => problem.responses ?? []);
  const kinds = [...new Set([...Object.keys(KINDS).filter((kind) => all.some((response) => response.spans?.some((span) => span.kind === kind))), ...all.flatMap((response) => (response.spans ?? []).map((span) => span.kind))])];
  const names = armNames.filter((name) => all.some((response) => response.arm === name));
  const samples = [...new Set(all.map((response) => response.sample))].sort((a, b) => a - b);
  const state = { problem: 0, sample: samples[0] ?? 0, hidden: new Set(QUIET_KINDS), arms: new Set(names.filter((name) => !isBanned(name))) };
  const cards = el("div", { class: "responses" }), statement = el("p", { class: "problem", "aria-live": "polite" });
  const show = () => {
    const problem = problems[state.problem], responses = (problem.responses ?? []).filter((one) => one.sample === state.sample && state.arms.has(one.arm));
    statement.replaceChildren(el("strong", {}, problem.problem ?? ""), el("small", {}, ` ${problem.split ?? ""} · ${problem.problem_id ?? ""}`));
    cards.replaceChildren(...responses.map((response) => responseCard(response, state.hidden)));
    if (responses.length === 0) cards.append(paragraph("Choose an arm to see its response."));
  };
  // Which arms were right, so that the interesting problems can be picked from the list.
  const marks = (problem) => names.map((name) => VERDICTS[(problem.responses ?? []).find((one) => one.arm === name && one.sample === state.sample)?.verdict] ?? "·").join("");
  const label = (problem, i) => `${i + 1}. ${problem.problem ?? problem.problem_id} ${marks(problem)}`;
  const picker = choice("Problem", problems.map((problem, i) => [String(i), label(problem, i)]), "0", (value) => go(Number(value)));
  const select = picker.querySelector("select");
  function go(index) {
    state.problem = (index + problems.length) % problems.length;
    select.value = String(state.problem);
    show();
  }
  const sampler = samples.length > 1 ? choice("Sample", samples.map((sample) => [String(sample), String(sample + 1)]), String(state.sample), (value) => {
    state.sample = Number(value);
    [...select.options].forEach((option, i) => { option.textContent = label(problems[i], i); });
    show();
  }) : null;
  const toggle = (content, on, change) => el("label", { class: "toggle" }, el("input", { type: "checkbox", checked: on, change: (event) => { change(event.target.checked); show(); } }), content);
  const flip = (set, value, present) => (present ? set.add(value) : set.delete(value));
  const controls = el("div", { class: "controls" },
    picker, el("span", { class: "buttons" }, el("button", { type: "button", click: () => go(state.problem - 1) }, "← Previous"), el("button", { type: "button", click: () => go(state.problem + 1) }, "Next →")), sampler);
  const armToggles = el("fieldset", {}, el("legend", {}, "Arms"), names.map((name) => toggle(armTag(name), state.arms.has(name), (on) => flip(state.arms, name, on))));
  const kindToggles = el("fieldset", {}, el("legend", {}, "Marks"), kinds.map((kind) =>
    toggle(el("span", { class: `k-${kind in KINDS ? kind : "other"}` }, kindTitle(kind)), !state.hidden.has(kind), (on) => flip(state.hidden, kind, !on))));
  show();
  addSection("browser", "Responses side by side", "Responses",
    lead(`The first ${plural(problems.length, "problem")} of the test split. The signs after a problem are the verdicts of the arms in order: ✓ right, ✗ wrong, ? no readable answer.`),
    controls, armToggles, kinds.length > 0 ? kindToggles : null, statement, cards);
}
