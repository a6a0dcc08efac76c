// Charts: one look, one colour an arm, intervals drawn as whiskers, and the figures themselves in a table below.
const figures = [];
const probe = el("span", { class: "probe", "aria-hidden": "true" });
document.body.append(probe);
const resolved = new Map();

// The colour that a CSS expression has in the present theme.
function colour(expression) {
  if (!resolved.has(expression)) {
    probe.style.color = expression;
    resolved.set(expression, getComputedStyle(probe).color);
  }
  return resolved.get(expression);
}
const armColour = (name) => colour(armVariable(name));
function faded(rgb, alpha) {
  const [r, g, b] = rgb.match(/[\d.]+/g);
  return `rgba(${r}, ${g}, ${b}, ${alpha})`;
}

// Arms that only ban tokens are hatched: a second sign beside the colour.
function armFill(name) {
  const solid = armColour(name);
  if (!isBanned(name)) return solid;
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const pen = tile.getContext("2d");
  pen.fillStyle = faded(solid, 0.3);
  pen.fillRect(0, 0, 6, 6);
  pen.strokeStyle = solid;
  pen.lineWidth = 1.6;
  pen.beginPath();
  pen.moveTo(-1, 7);
  pen.lineTo(7, -1);
  pen.stroke();
  return pen.createPattern(tile, "repeat");
}

function strokeWhisker(pen, horizontal, at, low, high, cap) {
  pen.beginPath();
  const line = (x1, y1, x2, y2) => { pen.moveTo(x1, y1); pen.lineTo(x2, y2); };
  if (horizontal) {
    line(low, at, high, at);
    if (cap) { line(low, at - cap, low, at + cap); line(high, at - cap, high, at + cap); }
  } else {
    line(at, low, at, high);
    if (cap) { line(at - cap, low, at + cap, low); line(at - cap, high, at + cap, high); }
  }
  pen.stroke();
}

// dataset.whiskers[i] = [{interval, width, colour, cap}], along dataset.whiskerAxis.
const whiskers = {
  id: "whiskers",
  afterDatasetDraw(chart, { index, meta }) {
    const dataset = chart.data.datasets[index];
    if (!dataset.whiskers) return;
    const horizontal = dataset.whiskerAxis === "x", scale = chart.scales[dataset.whiskerAxis], pen = chart.ctx;
    pen.save();
    meta.data.forEach((element, i) => {
      for (const whisker of dataset.whiskers[i] ?? []) {
        if (!Array.isArray(whisker.interval) || !whisker.interval.every(isNumber)) continue;
        const [low, high] = whisker.interval.map((value) => scale.getPixelForValue(value));
        if (Math.abs(high - low) < 0.5) continue; // no width to show
        pen.strokeStyle = whisker.colour;
        pen.lineWidth = whisker.width;
        strokeWhisker(pen, horizontal, horizontal ? element.y : element.x, low, high, whisker.cap);
      }
    });
    pen.restore();
  },
};

// options.plugins.values.texts[i] at the right edge of the row of point i.
const values = {
  id: "values",
  afterDatasetsDraw(chart, _, { texts }) {
    if (!texts) return;
    const pen = chart.ctx, points = chart.getDatasetMeta(0).data;
    pen.save();
    pen.font = `600 11px ${Chart.defaults.font.family}`;
    pen.fillStyle = colour("var(--ink)");
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    points.forEach((point, i) => pen.fillText(texts[i], chart.width - 2, point.y));
    pen.restore();
  },
};

// options.plugins.level = {value, text}: a dashed line across the chart, such as the base's score.
const level = {
  id: "level",
  beforeDatasetsDraw(chart, _, { value, text }) {
    if (!isNumber(value)) return;
    const { left, right } = chart.chartArea, y = chart.scales.y.getPixelForValue(value), pen = chart.ctx;
    pen.save();
    pen.strokeStyle = pen.fillStyle = colour("var(--arm-base)");
    pen.setLineDash([5, 4]);
    strokeWhisker(pen, true, y, left, right, 0);
    pen.font = `11px ${Chart.defaults.font.family}`;
    pen.textBaseline = "bottom";
    pen.fillText(text, left + 6, y - 2);
    pen.restore();
  },
};

Chart.register(whiskers, values, level);

function applyTheme() {
  resolved.clear();
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 12;
  Chart.defaults.color = colour("var(--soft)");
  Chart.defaults.borderColor = colour("var(--line)");
  Chart.defaults.animation = false;
  Chart.defaults.maintainAspectRatio = false;
  Object.assign(Chart.defaults.plugins.tooltip, {
    backgroundColor: colour("var(--tip)"), titleColor: colour("var(--tip-ink)"), bodyColor: colour("var(--tip-ink)"),
    padding: 10, cornerRadius: 6, displayColors: false, boxPadding: 4,
  });
  Chart.defaults.plugins.legend.display = false;
}

function draw(figure) {
  figure.chart?.destroy();
  figure.chart = new Chart(figure.canvas, figure.build());
}

function drawAll() {
  applyTheme();
  figures.forEach(draw);
}

// title: heading; build: makes the chart's configuration; table: its figures, for those who cannot see or want to
// copy them; sheet: the same for a file (download.js); height: pixels. Returns the <figure>, whose redraw() follows a change of choice.
function figure({ title, note, height, build, table, summary, sheet }) {
  const canvas = el("canvas", { role: "img", "aria-label": summary ?? title });
  const holder = el("div", { class: "canvas", style: `height: ${height}px` }, canvas);
  const details = table ? el("details", { class: "figures" }, el("summary", {}, "Figures"), table()) : null;
  const element = el("figure", {}, el("figcaption", {}, el("strong", {}, title), note ? el("span", {}, note) : null, sheet ? downloads(title, sheet) : null), holder, details);
  const entry = { canvas, build, chart: null };
  figures.push(entry);
  element.redraw = (text) => {
    if (text) canvas.setAttribute("aria-label", text);
    if (details) details.replaceChildren(details.firstChild, table());
    draw(entry);
  };
  return element;
}

const panels = (...content) => el("div", { class: "panels" }, content.flat());

function legend(names) {
  return el("ul", { class: "legend", "aria-label": "Colours of the arms" }, names.map((name) => el("li", {}, armTag(name))));
}

const grid = () => ({ color: colour("var(--line)"), drawTicks: false });

function valueAxis(title, text, more = {}) {
  return { title: { display: Boolean(title), text: title }, grid: grid(), border: { display: false },
    ticks: { callback: (value, _, ticks) => text(value, tickDigits(ticks)), maxTicksLimit: 6, padding: 6, maxRotation: 0 }, ...more };
}

// Digits after the point that tell neighbouring ticks apart.
function tickDigits(ticks) {
  const step = ticks.length > 1 ? Math.abs(ticks[1].value - ticks[0].value) : 1;
  return step > 0 ? Math.max(0, Math.min(6, Math.ceil(-Math.log10(step) - 1e-9))) : 0;
}

// Ticks of a logarithmic axis: 1, 2 and 5 in each decade, or the decades alone where there are many.
function logTicks(min, max) {
  const ticks = [], wide = Math.log10(max / min) > 2;
  for (let power = Math.floor(Math.log10(min)); 10 ** power <= max; power++)
    for (const digit of wide ? [1] : [1, 2, 5]) {
      const value = digit * 10 ** power;
      if (value >= min && value <= max) ticks.push({ value });
    }
  return ticks;
}

// One row an arm. rows: [{arm, value, interval, inner, note}]; inner is the narrower second interval. Points for
// scores, bars for what starts at zero by its nature. columns and cells replace the figures below it.
function armPanel({ title, note, rows, text, axisText = text, axis, kind = "bar", limit, columns, cells, sheet }) {
  const shown = rows.filter((row) => isNumber(row.value));
  if (shown.length === 0) return null;
  const reach = Math.max(limit ?? 0, ...shown.flatMap((row) => [row.value, row.interval?.[1] ?? 0, row.inner?.[1] ?? 0]));
  const build = () => {
    const colours = shown.map((row) => armColour(row.arm)), points = kind === "point";
    const whisker = (row, i) => [
      { interval: row.interval, width: 1.4, cap: 3, colour: points ? colours[i] : colour("var(--ink)") },
      { interval: row.inner, width: 5, cap: 0, colour: faded(colours[i], 0.55) }];
    const dataset = {
      data: shown.map((row) => row.value), whiskerAxis: "x", whiskers: shown.map(whisker),
      backgroundColor: points ? shown.map((row, i) => (isBanned(row.arm) ? colour("var(--page)") : colours[i])) : shown.map((row) => armFill(row.arm)),
      borderColor: colours, borderWidth: points ? 2 : 0, pointRadius: 5, pointHoverRadius: 6, showLine: false,
      barPercentage: 0.8, categoryPercentage: 0.86, maxBarThickness: 18,
    };
    return {
      type: points ? "line" : "bar",
      data: { labels: shown.map((row) => armLabel(row.arm).split(/, | (?=\()/)), datasets: [dataset] },
      options: {
        indexAxis: "y", layout: { padding: { right: 42 } }, clip: false,
        scales: {
          x: valueAxis(axis, axisText, { beginAtZero: true, suggestedMax: reach || 1 }),
          y: { offset: true, grid: { display: false }, border: { display: false }, ticks: { autoSkip: false, color: colour("var(--ink)"), padding: 4 } },
        },
        plugins: { values: { texts: shown.map((row) => text(row.value)) },
          tooltip: { callbacks: { title: ([item]) => armLabel(shown[item.dataIndex].arm), label: (item) => rowLines(shown[item.dataIndex], text) } } },
      },
    };
  };
  const heads = ["Arm", ...(columns ?? ["Value", "95 % interval"]), ...(shown.some((row) => row.note) && !cells ? ["n"] : [])];
  const table = () => simpleTable(title, heads, shown.map((row) => cells ? [armTag(row.arm), ...cells(row)] : [
    armTag(row.arm), text(row.value), ...(row.inner ? [range(row.inner, text)] : []), range(row.interval, text) || NONE,
    ...(row.note ? [row.note] : [])]));
  const summary = `${title}. ${shown.map((row) => `${armLabel(row.arm)} ${text(row.value)} ${range(row.interval, text)}`).join("; ")}`;
  const plain = () => ({ id: fileName(title), title, note: axis, columns: ["arm", "value", "low", "high", "sampling_low", "sampling_high", "n"].map((key) => ({ key })),
    rows: shown.map((row) => [row.arm, row.value, ...(row.interval ?? [null, null]), ...(row.inner ?? [null, null]), row.note ?? null]) });
  return figure({ title, note, height: 44 + 32 * shown.length + (axis ? 18 : 0), build, table, summary, sheet: sheet ?? plain });
}

function rowLines(row, text) {
  const lines = [`${text(row.value)}`];
  if (row.inner) lines.push(`sampling ${range(row.inner, text)}`);
  if (row.interval) lines.push(`${row.inner ? "problems" : "95 %"} ${range(row.interval, text)}`);
  if (row.note) lines.push(row.note);
  return lines;
}

// Lines over a numeric axis. series: [{arm, points: [{x, y, interval}], dashed, thin}].
function linePanel({ title, note, series, xTitle, xText = (x) => compact(x), yText, yTick = yText, yOptions = {}, xOptions = {}, height = 260, markers = false, table, sheet }) {
  const shown = series.filter((one) => one.points.length > 0);
  if (shown.length === 0) return null;
  const build = () => ({
    type: "line",
    data: { datasets: shown.map((one) => ({
      label: armLabel(one.arm), data: one.points, parsing: false, whiskerAxis: "y",
      whiskers: one.points.map((point) => [{ interval: point.interval, width: 1.2, cap: 2.5, colour: faded(armColour(one.arm), 0.75) }]), borderColor: one.thin ? faded(armColour(one.arm), 0.28) : armColour(one.arm),
      backgroundColor: armColour(one.arm), borderWidth: one.thin ? 1 : 2, borderDash: one.dashed || isBanned(one.arm) ? [5, 4] : [],
      pointRadius: markers || one.points.length < 3 ? 3 : 0, pointHoverRadius: 4, tension: 0 })) },
    options: {
      interaction: { mode: "nearest", axis: "x", intersect: false },
      scales: { x: valueAxis(xTitle, (x) => xText(x), { type: "linear", ...xOptions }), y: valueAxis("", yTick, yOptions) },
      plugins: { tooltip: { displayColors: true, filter: (item) => !shown[item.datasetIndex].thin,
        callbacks: { title: (items) => (items.length > 0 ? `${xTitle} ${xText(items[0].parsed.x)}` : ""),
          label: (item) => `${item.dataset.label}: ${yText(item.parsed.y)} ${range(item.raw.interval, yText)}` } } },
    },
  });
  const plain = () => ({ id: fileName(title), title, note, columns: ["arm", "x", "y", "low", "high"].map((key) => ({ key })),
    rows: shown.filter((one) => !one.thin || !shown.some((other) => !other.thin && other.arm === one.arm)).flatMap((one) => one.points.map((point) => [one.arm, point.x, point.y, ...(point.interval ?? [null, null])])) });
  return figure({ title, note, height, build, table, sheet: sheet ?? plain, summary: `${title}: lines of ${[...new Set(shown.map((one) => armLabel(one.arm)))].join(", ")} over ${xTitle}` });
}
