// The list: only the rows in sight are elements, whatever the number of responses.
const ROW = 58, SPARE = 6;
const list = { box: document.getElementById("list"), rows: new Int32Array(0), active: -1, shown: new Map(), choose: () => {}, hits: [] };
const spacer = el("div", { class: "spacer", role: "presentation" });
list.box.append(spacer);

function rowElement(row, at) {
  const [verdict, sign] = VERDICTS[column("verdict")[row]], unit = lengthUnit(), model = modelOf(row), cut = column("cut")[row] === 1;
  return el("div", { class: "row", role: "option", id: `row-${row}`, "aria-selected": at === list.active ? "true" : "false", "aria-setsize": list.rows.length, "aria-posinset": at + 1,
    style: `top: ${at * ROW}px; --arm: ${modelColour(model)}`, click: () => list.choose(at) },
  el("span", { class: "line" }, el("span", { class: `sign ${verdict.replace(" ", "-")}`, role: "img", "aria-label": verdict }, sign), el("span", { class: "name" }, model),
    el("span", { class: "size" }, cut ? "cut, " : "", `${compact(column(unit)[row])} ${unit}`)),
  el("span", { class: "line soft" }, el("span", { class: "problem-id" }, problemName(row)), el("span", { class: "sample" }, `#${column("sample")[row]}`), el("span", { class: "snippet" })));
}

function drawRows() {
  const top = list.box.scrollTop, first = Math.max(0, Math.floor(top / ROW) - SPARE), last = Math.min(list.rows.length, Math.ceil((top + list.box.clientHeight) / ROW) + SPARE);
  for (const [at, element] of list.shown)
    if (at < first || at >= last) {
      element.remove();
      list.shown.delete(at);
    }
  for (let at = first; at < last; at++) {
    if (list.shown.has(at)) continue;
    const element = rowElement(list.rows[at], at);
    list.shown.set(at, element);
    spacer.append(element);
  }
  tellActive();
  clearTimeout(list.resting);
  list.resting = setTimeout(drawSnippets, 90);
}

// The begin of each text in sight, or what stands around the first hit: once the list rests.
async function drawSnippets() {
  const hits = list.hits;
  for (const [at, element] of [...list.shown]) {
    const box = element.querySelector(".snippet"), row = list.rows[at];
    if (box.dataset.done || list.shown.get(at) !== element) continue;
    try {
      const { text } = await responseText(row);
      if (list.hits !== hits) return;
      const hit = hits.length > 0 ? findHits(text.slice(0, 200000), hits)[0] : undefined, begin = hit ? Math.max(0, hit.begin - 12) : 0;
      const flat = (part) => part.replace(/\s+/g, " ");
      box.replaceChildren(...(hit ? [begin > 0 ? "…" : "", flat(text.slice(begin, hit.begin)), el("b", {}, flat(text.slice(hit.begin, hit.end))), flat(text.slice(hit.end, hit.end + 80))] : [flat(text.slice(0, 110))]));
      box.dataset.done = "true";
    } catch (error) { box.textContent = error.message; }
  }
}

function tellActive() {
  for (const [at, element] of list.shown) element.setAttribute("aria-selected", at === list.active ? "true" : "false");
  const active = list.shown.get(list.active);
  if (active) list.box.setAttribute("aria-activedescendant", active.id);
  else list.box.removeAttribute("aria-activedescendant");
}

// Shows other rows; the place is kept where the same response is still there.
function setRows(rows, hits, keep = list.rows[list.active]) {
  list.rows = rows;
  list.hits = hits;
  list.active = keep === undefined ? -1 : rows.indexOf(keep);
  list.shown.forEach((element) => element.remove());
  list.shown.clear();
  spacer.style.height = `${rows.length * ROW}px`;
  if (list.active >= 0) showRow(list.active);
  else list.box.scrollTop = 0;
  drawRows();
}

function showRow(at) {
  const top = at * ROW, height = list.box.clientHeight;
  if (top < list.box.scrollTop) list.box.scrollTop = top;
  else if (top + ROW > list.box.scrollTop + height) list.box.scrollTop = top + ROW - height;
}

// More rows of the same kind, found meanwhile, at the end of the list.
function addRows(rows) {
  list.rows = rows;
  spacer.style.height = `${rows.length * ROW}px`;
  list.shown.forEach((element) => element.setAttribute("aria-setsize", rows.length));
  drawRows();
}

list.box.addEventListener("scroll", () => requestAnimationFrame(drawRows), { passive: true });
new ResizeObserver(() => drawRows()).observe(list.box);
