// The keyboard: every control has its place in the tab order; these keys are beside that, and can be switched off.
const KEYS = [
  ["j  ↓", "next response", ["j"], () => step(1)], ["k  ↑", "previous response", ["k"], () => step(-1)],
  ["]", "next problem", ["]"], () => stepProblem(1)], ["[", "previous problem", ["["], () => stepProblem(-1)],
  ["n", "next hit, or mark", ["n"], () => goHit(1)], ["p", "previous hit, or mark", ["p"], () => goHit(-1)],
  ["/", "search", ["/"], () => { searchBox.focus(); searchBox.select(); }], ["f", "filters", ["f"], () => toggleFilters()],
  ["b", "another model beside", ["b"], () => nextBeside()], ["m", "marks on or off", ["m"], () => toggleMarks()],
  ["l", "to the list", ["l"], () => { document.body.dataset.view = "list"; list.box.focus(); }], ["g", "first response", ["g"], () => list.rows.length > 0 && openRow(list.rows[0])],
  ["G", "last response", ["G"], () => list.rows.length > 0 && openRow(list.rows[list.rows.length - 1])], ["?", "this help", ["?"], () => openHelp()],
  ["Esc", "leave the search, close the help", [], null],
].map(([shown, meaning, names, act]) => ({ shown, meaning, names, act }));
const help = document.getElementById("help");
let singleKeys = true;

function readSetting(name, fallback) {
  try { return localStorage.getItem(name) ?? fallback; } catch { return fallback; }
}
function writeSetting(name, value) {
  try { localStorage.setItem(name, value); } catch { /* lasts as long as the page */ }
}

function drawHelp() {
  help.append(el("div", { class: "head" }, el("h2", { id: "help-title" }, "Keys"), el("button", { type: "button", click: () => help.close() }, "Close")),
    el("dl", { class: "keys" }, KEYS.map((key) => el("div", {}, el("dt", {}, key.shown.split("  ").map((one) => el("kbd", {}, one))), el("dd", {}, key.meaning)))),
    el("label", { class: "toggle" }, el("input", { type: "checkbox", id: "single-keys", checked: singleKeys, change: (event) => { singleKeys = event.target.checked; writeSetting("retort-keys", singleKeys ? "on" : "off"); } }), "Single keys do something"),
    el("h2", {}, "Search"),
    el("dl", { class: "keys" }, [["wait", "words that begin with wait (from three letters on; shorter words and numbers as they are)"], ['"let me"', "exactly this, with its spaces and signs; capital letters do not matter"], ["\\boxed{42}", "signs are looked for as they stand"], ["-however", "without this word"], ["wait hmm", "both"]]
      .map(([query, meaning]) => el("div", {}, el("dt", {}, el("code", {}, query)), el("dd", {}, meaning)))));
}

function openHelp() {
  if (!help.open) help.showModal();
}

function toggleFilters(open = document.body.dataset.filters === "closed") {
  document.body.dataset.filters = open ? "open" : "closed";
  document.getElementById("filters-button").setAttribute("aria-expanded", String(open));
}

function nextBeside() {
  if (reader.row < 0) return;
  const here = new Set([...store.problemRows(problemOf(reader.row))].map(modelOf)), models = ["", ...store.index.models.filter((model) => here.has(model) && model !== modelOf(reader.row))];
  reader.beside = models[(models.indexOf(reader.beside) + 1) % models.length];
  writeHash();
  drawReader();
}

function toggleMarks() {
  const all = store.index.kinds.map((kind) => kind.kind);
  reader.hidden = reader.hidden.size === all.length ? quietKinds() : new Set(all);
  drawReader();
}

const quietKinds = () => new Set(store.index.kinds.filter((kind) => QUIET.includes(kind.name)).map((kind) => kind.kind));
const isTyping = (target) => target instanceof HTMLElement && (target.isContentEditable || ["SELECT", "TEXTAREA"].includes(target.tagName) || (target.tagName === "INPUT" && !["checkbox", "button"].includes(target.type)));

function watchKeys() {
  singleKeys = readSetting("retort-keys", "on") === "on";
  drawHelp();
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (event.key === "Escape" && event.target === searchBox) {
      event.preventDefault(); // or the browser would empty the field
      return void list.box.focus();
    }
    if (isTyping(event.target)) return;
    if (singleKeys) {
      const key = KEYS.find((one) => one.names.includes(event.key));
      if (key?.act) { event.preventDefault(); return void key.act(); }
    }
  });
  list.box.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(list.box.clientHeight / ROW) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[event.key];
    if (steps === undefined || list.rows.length === 0) {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); document.body.dataset.view = "reader"; reader.box.focus(); }
      return;
    }
    event.preventDefault();
    openRow(list.rows[Math.min(list.rows.length - 1, Math.max(0, list.active + steps))]);
    if (matchMedia("(max-width: 899px)").matches) document.body.dataset.view = "list";
  });
  searchBox.addEventListener("input", () => { filter.query = searchBox.value; changed(60); });
  searchBox.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); list.box.focus(); } });
  document.getElementById("help-button").addEventListener("click", openHelp);
  document.getElementById("filters-button").addEventListener("click", () => toggleFilters());
  document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
  help.addEventListener("click", (event) => { if (event.target === help) help.close(); });
}
