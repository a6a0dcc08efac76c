// The response that is being read, and on wish another model's response to the same problem beside it.
const reader = { box: document.getElementById("reader"), row: -1, beside: "", besideSample: 0, hidden: new Set(), hits: [], turn: 0, places: [], place: -1, statement: true };
const QUIET = ["attempts", "approaches", "true_steps", "mathematical"]; // everywhere, and so not shown until asked for
const OWN_STYLES = ["perspective", "approaches", "attempts", "checks", "doubts", "corrections", "backtracks", "verifications", "true_steps", "false_steps"];

const kindOf = (number) => store.index.kinds.find((kind) => kind.kind === number);
const severalJudges = () => new Set(kindsOf("behavior").map((kind) => kind.judge)).size > 1;
const kindTitle = (kind) => (kind.type === "behavior" && severalJudges() ? `${words(kind.name)} (${kind.judge})` : words(kind.name));
function kindClass(kind) {
  if (kind.type === "token") return `k-${kind.name === "anthropomorphic" || kind.name === "logical" ? kind.name : "token"}`;
  return OWN_STYLES.includes(kind.name) ? `k-${kind.name}` : `k-b${kindsOf("behavior").indexOf(kind) % 6}`;
}

// The text cut at every border of a mark or hit, in one sweep; pieces carry the kinds that cover them.
function markedPieces(text, marks, hits) {
  const events = [];
  for (const { kind, begin, end } of marks)
    if (!reader.hidden.has(kind) && end > begin) events.push([begin, 1, kind], [end, -1, kind]);
  hits.forEach(({ begin, end }, i) => events.push([begin, 1, `hit ${i}`], [end, -1, `hit ${i}`]));
  events.sort((a, b) => a[0] - b[0]);
  const open = new Map(), pieces = [];
  let at = 0;
  const piece = (end) => {
    if (end <= at) return;
    const part = text.slice(at, end), names = [...open.keys()], kinds = names.map((name) => kindOf(name)).filter(Boolean), hit = names.find((name) => typeof name === "string");
    at = end;
    if (names.length === 0) return void pieces.push(part);
    pieces.push(el("mark", { class: [...kinds.map(kindClass), hit ? "hit" : ""].join(" ").trim(), title: kinds.map(kindTitle).join(", "), "data-hit": hit?.slice(4) }, part));
  };
  for (const [where, step, name] of events) {
    piece(where);
    const count = (open.get(name) ?? 0) + step;
    if (count > 0) open.set(name, count); else open.delete(name);
  }
  piece(text.length);
  return pieces;
}

// Where in the response the marks and hits are, as ticks over its length; a press goes there.
function stripOf(text, marks, hits, box) {
  const canvas = el("canvas", { class: "strip", "aria-hidden": "true", click: (event) => {
    const body = box.querySelector(".text"), share = event.offsetX / canvas.clientWidth, scroller = body.scrollHeight > body.clientHeight + 4 ? body : reader.box;
    scroller.scrollTop = (scroller === body ? 0 : body.offsetTop) + share * body.scrollHeight - 80;
  } });
  canvas.width = 1200;
  canvas.height = 16;
  requestAnimationFrame(() => {
    const pen = canvas.getContext("2d");
    const ink = (name) => { canvas.style.color = `var(--tick-${name})`; return getComputedStyle(canvas).color; };
    const inks = { token: ink("token"), behavior: ink("behaviour"), hit: ink("hit") };
    const tick = (begin, kind, top, height, width) => { pen.fillStyle = inks[kind]; pen.fillRect((begin / Math.max(1, text.length)) * canvas.width, top, width, height); };
    for (const { kind, begin } of marks) if (!reader.hidden.has(kind)) tick(begin, kindOf(kind).type, kindOf(kind).type === "token" ? 9 : 1, 6, 2);
    for (const { begin } of hits) tick(begin, "hit", 0, 16, 3);
  });
  return canvas;
}

const chip = (row) => {
  const [verdict, sign] = VERDICTS[column("verdict")[row]];
  return el("span", { class: `chip ${verdict.replace(" ", "-")}` }, el("span", { "aria-hidden": "true" }, sign), ` ${verdict}`);
};

function factsOf(row) {
  const cut = column("cut")[row], tokens = column("tokens")[row];
  return [tokens >= 0 ? plural(tokens, "token") : null, plural(column("words")[row], "word"), cut < 0 ? null : cut ? "cut at the limit" : "ended by itself"].filter(Boolean).join(" · ");
}

const nameOf = (row) => ({ model: modelOf(row), benchmark: benchmarkOf(row), problem: problemName(row), sample: String(column("sample")[row]) });
const linkTo = (row) => `#${new URLSearchParams(nameOf(row))}`;

function responseCard(row, { text, marks }, pick, top) {
  const hits = findHits(text, reader.hits), model = modelOf(row), others = rowsOfModel(problemOf(row), model);
  const counts = new Map();
  for (const { kind } of marks) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const samples = others.length > 1 ? choice("Sample", others.map((one) => [String(one), `${column("sample")[one]} ${VERDICTS[column("verdict")[one]][1]}`]), String(row), (value) => pick(Number(value))) : el("span", { class: "soft" }, `sample ${column("sample")[row]}`);
  const card = el("article", { class: "response", style: `--arm: ${modelColour(model)}`, "aria-label": `${model}, sample ${column("sample")[row]}` });
  card.append(el("header", {}, el("h3", {}, el("span", { class: "arm" }, el("span", { class: "swatch", style: `--arm: ${modelColour(model)}`, "aria-hidden": "true" }), model)), chip(row)),
    el("p", { class: "meta" }, factsOf(row), hits.length > 0 ? ` · ${plural(hits.length, "hit")}` : ""),
    el("div", { class: "tools" }, samples, el("a", { class: "link", href: linkTo(row) }, "Link")),
    stripOf(text, marks, hits, card),
    el("div", { class: "text", tabindex: "0", role: "group", "aria-label": `Text of the response of ${model}` }, markedPieces(text, marks, hits)));
  if (top) card.dataset.main = "true";
  return card;
}

// One switch for each kind of mark that the shown responses have.
function markToggles(all) {
  const present = store.index.kinds.filter((kind) => all.some(({ marks }) => marks.some((mark) => mark.kind === kind.kind)));
  if (present.length === 0) return null;
  return el("fieldset", { class: "marks" }, el("legend", {}, "Marks"), present.map((kind) => {
    const count = all.reduce((sum, { marks }) => sum + marks.filter((mark) => mark.kind === kind.kind).length, 0);
    return el("label", { class: "toggle" }, el("input", { type: "checkbox", checked: !reader.hidden.has(kind.kind), change: (event) => {
      if (event.target.checked) reader.hidden.delete(kind.kind); else reader.hidden.add(kind.kind);
      drawReader();
    } }), el("span", { class: kindClass(kind) }, kindTitle(kind)), el("span", { class: "soft" }, ` ${count}`));
  }));
}

function problemBlock(problem, statement, answer) {
  const [benchmark, id] = store.index.problems[problem], name = store.index.benchmarks[benchmark];
  return el("div", { class: "problem-head" }, el("h2", {}, id, name === "all" ? null : el("small", {}, ` ${name}`)),
    statement ? el("details", { open: reader.statement, toggle: (event) => { reader.statement = event.target.open; } }, el("summary", {}, "Problem"), el("p", { class: "statement" }, statement), answer ? el("p", { class: "soft" }, "Answer: ", el("code", {}, answer)) : null)
      : answer ? el("p", { class: "soft" }, "Answer: ", el("code", {}, answer)) : null);
}

// The row shown beside: the chosen sample of the model beside, or its first.
function besideRow() {
  if (reader.beside === "" || reader.row < 0) return undefined;
  const rows = rowsOfModel(problemOf(reader.row), reader.beside);
  return rows.find((row) => column("sample")[row] === reader.besideSample) ?? rows[0];
}

function besidePicker() {
  const here = new Set([...store.problemRows(problemOf(reader.row))].map(modelOf));
  const options = [["", "nothing"], ...store.index.models.filter((model) => here.has(model)).map((model) => [model, model])];
  if (reader.beside !== "" && !here.has(reader.beside)) options.push([reader.beside, `${reader.beside} (no response here)`]);
  return choice("Beside", options, reader.beside, (value) => { reader.beside = value; drawReader(); writeHash(); });
}

async function drawReader() {
  const turn = ++reader.turn, row = reader.row;
  if (row < 0) return;
  const other = besideRow(), rows = other === undefined ? [row] : [row, other];
  let texts, problem;
  try {
    [problem, ...texts] = await Promise.all([problemText(problemOf(row)), ...rows.map(responseText)]);
  } catch (error) {
    if (turn === reader.turn) reader.box.replaceChildren(el("p", { class: "banner", role: "alert" }, `This response cannot be shown: ${error.message}.`));
    return;
  }
  if (turn !== reader.turn) return; // another one was asked for meanwhile
  const focused = reader.box.contains(document.activeElement) ? document.activeElement.id || document.activeElement.className : null;
  const picks = [(value) => openRow(value), (value) => { reader.besideSample = column("sample")[value]; drawReader(); writeHash(); }];
  const at = list.active;
  const steps = el("span", { class: "buttons" }, el("button", { type: "button", class: "back", click: () => { document.body.dataset.view = "list"; } }, "☰ List"),
    el("button", { type: "button", id: "previous", disabled: at <= 0, click: () => step(-1) }, "← Previous"), el("button", { type: "button", id: "next", disabled: at < 0 || at + 1 >= list.rows.length, click: () => step(1) }, "Next →"));
  reader.box.replaceChildren(el("div", { class: "controls" }, steps, besidePicker(), el("span", { class: "soft where" }, at >= 0 ? `${fixed(at + 1)} of ${fixed(list.rows.length)}` : "not in the list")),
    problemBlock(problemOf(row), ...problem), markToggles(texts) ?? "", el("div", { class: `responses${rows.length > 1 ? " two" : ""}` }, rows.map((one, i) => responseCard(one, texts[i], picks[i], i === 0))));
  reader.places = [...reader.box.querySelectorAll(".response[data-main] mark.hit")].filter((mark, i, all) => i === 0 || mark.dataset.hit !== all[i - 1].dataset.hit);
  if (reader.places.length === 0) reader.places = [...reader.box.querySelectorAll(".response[data-main] mark")];
  reader.place = -1;
  if (focused) (document.getElementById(focused) ?? reader.box.querySelector(`.${CSS.escape(focused.split(" ")[0])}`) ?? reader.box).focus({ preventScroll: true });
  reader.box.dataset.row = String(row);
}

// To the next hit, or mark where nothing is searched for.
function goHit(direction) {
  if (reader.places.length === 0) return;
  reader.places[reader.place]?.classList.remove("current");
  reader.place = (reader.place + direction + reader.places.length) % reader.places.length;
  const place = reader.places[reader.place];
  place.classList.add("current");
  place.scrollIntoView({ block: "center" });
}

function openRow(row, turnPage = true) {
  reader.row = row;
  const at = list.rows.indexOf(row);
  list.active = at;
  if (at >= 0) showRow(at);
  drawRows();
  reader.box.scrollTop = 0;
  if (turnPage) document.body.dataset.view = "reader";
  writeHash();
  return drawReader();
}

function step(direction) {
  const at = list.active < 0 ? (direction > 0 ? 0 : list.rows.length - 1) : list.active + direction;
  if (at >= 0 && at < list.rows.length) openRow(list.rows[at]);
}

// To the first response in the list that answers another problem.
function stepProblem(direction) {
  const problem = problemOf(reader.row);
  for (let at = list.active + direction; at >= 0 && at < list.rows.length; at += direction)
    if (problemOf(list.rows[at]) !== problem) return void openRow(list.rows[at]);
}
