// Which responses are listed, in which order, and the address that says so.
const filter = { query: "", models: null, benchmarks: null, verdicts: null, cut: "", from: "", to: "", problem: "", behavior: "", behaviorFrom: 1, category: "", categoryFrom: 1, sort: "order", turn: 0 };
const found = document.getElementById("found"), searchBox = document.getElementById("search");

const SORTS = { order: "as read", problem: "problem", shortest: "shortest first", longest: "longest first" };

function passesFilters() {
  const groups = store.index.groups.map(([model, benchmark]) => (filter.models?.has(store.index.models[model]) ?? true) && (filter.benchmarks?.has(store.index.benchmarks[benchmark]) ?? true));
  const group = column("group"), verdict = column("verdict"), cut = column("cut"), length = column(lengthUnit()), problem = column("problem"), wordCount = column("words");
  const from = filter.from === "" ? -Infinity : Number(filter.from), to = filter.to === "" ? Infinity : Number(filter.to);
  const asked = lower(filter.problem.trim()), problemsAsked = asked === "" ? null : store.index.problems.map(([, id]) => lower(id).includes(asked));
  const behavior = filter.behavior === "" ? null : column(filter.behavior), category = filter.category === "" ? null : column(filter.category);
  const cutAsked = filter.cut === "" ? null : Number(filter.cut);
  return (row) => groups[group[row]] && (filter.verdicts?.has(verdict[row]) ?? true) && (cutAsked === null || cut[row] === cutAsked) && length[row] >= from && length[row] <= to &&
    (problemsAsked === null || problemsAsked[problem[row]]) && (behavior === null || (behavior[row] >= 0 && (filter.behaviorFrom === 0 ? behavior[row] === 0 : behavior[row] >= filter.behaviorFrom))) &&
    (category === null || (wordCount[row] > 0 && (1000 * category[row]) / wordCount[row] >= filter.categoryFrom));
}

function sorted(rows) {
  const length = column(lengthUnit()), problem = column("problem");
  const orders = { problem: (a, b) => problem[a] - problem[b] || a - b, shortest: (a, b) => length[a] - length[b] || a - b, longest: (a, b) => length[b] - length[a] || a - b };
  return orders[filter.sort] ? rows.sort(orders[filter.sort]) : rows;
}

// Lists what is found. A query that the index alone cannot decide is checked in the texts in the order of the list, and
// the list grows as it goes.
async function applyFilters(keep) {
  const turn = ++filter.turn, started = performance.now();
  let result;
  try {
    result = await search(filter.query);
  } catch (error) {
    found.textContent = `Search failed: ${error.message}.`;
    return;
  }
  if (turn !== filter.turn) return;
  const passes = passesFilters(), candidates = [];
  for (let row = 0; row < store.rows; row++) if (result.found[row] && passes(row)) candidates.push(row);
  const rows = sorted(Int32Array.from(candidates));
  reader.hits = result.hits;
  const shown = result.checks.length === 0 ? rows : new Int32Array(0);
  setRows(shown, result.hits, keep ?? (reader.row >= 0 ? reader.row : undefined));
  root.dataset.searched = String(Math.round(10 * (performance.now() - started)) / 10); // for those who measure
  tellFound(shown.length);
  if (result.checks.length > 0) await checkTexts(rows, result, turn);
  if (turn !== filter.turn) return;
  const wide = matchMedia("(min-width: 900px)").matches;
  if (list.active < 0 && keep === undefined && list.rows.length > 0 && (wide || reader.row >= 0)) await openRow(list.rows[0], wide);
  else if (reader.row >= 0) await drawReader();
  if (turn === filter.turn) root.dataset.complete = String(turn);
}

function tellFound(count, progress = "") {
  found.textContent = `${fixed(count)} of ${fixed(store.rows)}${progress}`;
}

async function checkTexts(rows, { checks, hits }, turn) {
  const held = [];
  let told = performance.now(), yielded = told;
  for (let i = 0; i < rows.length; i++) {
    const { text } = await responseText(rows[i]);
    if (turn !== filter.turn) return;
    if (passesChecks(text, checks)) held.push(rows[i]);
    const now = performance.now();
    if (now - told > 150) {
      addRows(Int32Array.from(held));
      tellFound(held.length, ` · ${fixed((100 * i) / rows.length)} % looked through`);
      told = now;
    }
    if (now - yielded > 12) { // other work comes first
      await new Promise((resolve) => { setTimeout(resolve); });
      if (turn !== filter.turn) return;
      yielded = performance.now();
    }
  }
  setRows(Int32Array.from(held), hits, reader.row >= 0 ? reader.row : undefined);
  tellFound(held.length);
}

// ---- controls

function checks(title, names, content, get, set) {
  const all = new Set(names), box = (name) => el("label", { class: "toggle" }, el("input", { type: "checkbox", checked: get() === null || get().has(name), change: (event) => {
    const now = new Set(get() ?? all);
    if (event.target.checked) now.add(name); else now.delete(name);
    set(now.size === all.size ? null : now);
    changed();
  } }), content(name));
  return el("fieldset", {}, el("legend", {}, title), names.map(box));
}

function field(label, type, value, set, attributes = {}) {
  const id = `field-${label.toLowerCase().replace(/[^a-z]+/g, "-")}`;
  return el("span", { class: "field" }, el("label", { for: id }, label), el("input", { id, type, value, ...attributes, input: (event) => { set(event.target.value); changed(120); } }));
}

const atLeast = (value) => (value === "" || Number.isNaN(Number(value)) ? 1 : Math.max(0, Number(value)));

function drawFilters() {
  const unit = lengthUnit(), verdicts = [...new Set(column("verdict"))].sort((a, b) => b - a), cuts = new Set(column("cut")), lists = [];
  const coloured = (model) => el("span", { class: "arm" }, el("span", { class: "swatch", style: `--arm: ${modelColour(model)}`, "aria-hidden": "true" }), model);
  lists.push(checks("Models", store.index.models, coloured, () => filter.models, (value) => { filter.models = value; }));
  if (store.index.benchmarks.length > 1) lists.push(checks("Benchmarks", store.index.benchmarks, (name) => name, () => filter.benchmarks, (value) => { filter.benchmarks = value; }));
  if (verdicts.length > 1) lists.push(checks("Verdict", verdicts, (one) => `${VERDICTS[one][1]} ${VERDICTS[one][0]}`, () => filter.verdicts, (value) => { filter.verdicts = value; }));
  if (cuts.size > 1) lists.push(choice("Ended", [["", "in any way"], ["0", "by itself"], ["1", "cut at the limit"]], filter.cut, (value) => { filter.cut = value; changed(); }));
  lists.push(el("fieldset", { class: "pair" }, el("legend", {}, `Length, ${unit}`), field("from", "number", filter.from, (value) => { filter.from = value; }, { min: 0 }), field("to", "number", filter.to, (value) => { filter.to = value; }, { min: 0 })));
  lists.push(field("Problem", "search", filter.problem, (value) => { filter.problem = value; }, { placeholder: "part of its id", spellcheck: "false" }));
  const behaviors = kindsOf("behavior").map((kind) => [`behavior ${kind.kind}`, kindTitle(kind)]), categories = kindsOf("token").map((kind) => [`category ${kind.kind}`, words(kind.name)]);
  if (behaviors.length > 0) lists.push(el("fieldset", { class: "pair" }, el("legend", {}, "Behaviour"), choice("shows", [["", "anything"], ...behaviors], filter.behavior, (value) => { filter.behavior = value; changed(); }),
    field("at least", "number", filter.behaviorFrom, (value) => { filter.behaviorFrom = atLeast(value); }, { min: 0, title: "0: judged, and none found" })));
  lists.push(el("fieldset", { class: "pair" }, el("legend", {}, "Token category"), choice("of", [["", "any"], ...categories], filter.category, (value) => { filter.category = value; changed(); }),
    field("per 1,000 words, at least", "number", filter.categoryFrom, (value) => { filter.categoryFrom = atLeast(value); }, { min: 0, step: "any" })));
  lists.push(choice("Order", Object.entries(SORTS), filter.sort, (value) => { filter.sort = value; changed(); }));
  lists.push(el("button", { type: "button", id: "reset", click: resetFilters }, "Show all"));
  document.getElementById("filters").replaceChildren(...lists);
}

function resetFilters() {
  Object.assign(filter, { query: "", models: null, benchmarks: null, verdicts: null, cut: "", from: "", to: "", problem: "", behavior: "", behaviorFrom: 1, category: "", categoryFrom: 1, sort: "order" });
  searchBox.value = "";
  drawFilters();
  changed();
}

let waitingChange;
function changed(pause = 0) {
  clearTimeout(waitingChange);
  waitingChange = setTimeout(() => { writeHash(); applyFilters(); }, pause);
}

// ---- address

function writeHash() {
  const parameters = new URLSearchParams(reader.row >= 0 ? nameOf(reader.row) : {});
  const put = (key, value) => { if (value) parameters.set(key, value); };
  put("beside", reader.beside);
  put("q", filter.query);
  for (const key of ["models", "benchmarks"]) if (filter[key]) filter[key].forEach((name) => parameters.append(key, name));
  if (filter.verdicts) filter.verdicts.forEach((verdict) => parameters.append("verdict", VERDICTS[verdict][0]));
  for (const key of ["cut", "from", "to", "behavior", "category"]) put(key, filter[key]);
  put("find", filter.problem);
  if (filter.behavior && filter.behaviorFrom !== 1) put("behaviorFrom", String(filter.behaviorFrom));
  if (filter.category && filter.categoryFrom !== 1) put("categoryFrom", String(filter.categoryFrom));
  if (filter.sort !== "order") put("sort", filter.sort);
  const hash = `#${parameters}`;
  if (hash !== location.hash) history.replaceState(null, "", hash === "#" ? " " : hash);
}

// What the address asks for; names that are not here are left aside.
function readHash() {
  const parameters = new URLSearchParams(location.hash.slice(1)), get = (key) => parameters.get(key) ?? "";
  const among = (key, known) => { const named = parameters.getAll(key).filter((name) => known.includes(name)); return named.length > 0 ? new Set(named) : null; };
  filter.query = get("q");
  filter.models = among("models", store.index.models);
  filter.benchmarks = among("benchmarks", store.index.benchmarks);
  const verdicts = parameters.getAll("verdict").map((name) => Number(Object.keys(VERDICTS).find((key) => VERDICTS[key][0] === name) ?? NaN)).filter((key) => !Number.isNaN(key));
  filter.verdicts = verdicts.length > 0 ? new Set(verdicts) : null;
  filter.cut = ["0", "1"].includes(get("cut")) ? get("cut") : "";
  filter.from = /^\d+$/.test(get("from")) ? get("from") : "";
  filter.to = /^\d+$/.test(get("to")) ? get("to") : "";
  filter.problem = get("find");
  filter.behavior = column(get("behavior")) ? get("behavior") : "";
  filter.category = column(get("category")) ? get("category") : "";
  filter.behaviorFrom = atLeast(get("behaviorFrom"));
  filter.categoryFrom = atLeast(get("categoryFrom"));
  filter.sort = get("sort") in SORTS && get("sort") !== "" ? get("sort") : "order";
  reader.beside = store.index.models.includes(get("beside")) ? get("beside") : "";
  searchBox.value = filter.query;
  return parameters.has("problem") ? findRow({ model: get("model"), benchmark: parameters.get("benchmark") ?? undefined, problem: get("problem"), sample: parameters.get("sample") ?? 0 }) : undefined;
}
