// The page of figures of any runs. It draws from report.charts, the very tables that lie beside it as files.
const benchmarks = list("benchmarks").map((one) => one.name);
const chosenModels = new Set(armNames), chosenBenchmarks = new Set(benchmarks);
const chartOf = (id) => list("charts").find((chart) => chart.id === id) ?? { columns: [], rows: [] };

// The rows of a chart as objects, of the chosen models and benchmarks.
function rowsOf(id) {
  const chart = chartOf(id), keys = chart.columns.map((column) => column.key);
  const rows = chart.rows.map((row) => Object.fromEntries(keys.map((key, i) => [key, row[i]])));
  return rows.filter((row) => ["model", "a", "b"].every((key) => !(key in row) || chosenModels.has(row[key])) && chosenBenchmarks.has(row.benchmark));
}

// The same for a file: the chart's own columns, the rows that `keep` keeps.
function sheetOf(id, keep = () => true) {
  const chart = chartOf(id), keys = chart.columns.map((column) => column.key);
  return () => ({ ...chart, rows: rowsOf(id).filter(keep).map((row) => keys.map((key) => row[key])) });
}

const shownBenchmarks = (rows) => benchmarks.filter((name) => rows.some((row) => row.benchmark === name));
const benchmarkTitle = (name) => (name === "all" ? "All problems" : name);
const pairInterval = (row, low = "low", high = "high") => (isNumber(row[low]) && isNumber(row[high]) ? [row[low], row[high]] : undefined);
const exploreLink = (text, parameters) => el("a", { class: "read", href: `explorer.html#${new URLSearchParams(parameters)}` }, text);
const RUN_MEASURES = ["pass@k", "sampling interval", "problem interval", "p", "z", "budget"];
const SHARES = {
  accuracy: "Mean over problems of the share of right samples.",
  truncated: "Share of responses cut at the token limit, mean over problems.",
  unparsed: "Share of responses with no answer that could be read, mean over problems; they count as wrong.",
  undecided: "Share of responses whose answer took too much work to decide; they count as wrong.",
  "per 1,000 words": "Places in 1,000 words (runs of letters and apostrophes) of the responses that count, all pooled; the rules are in docs/tokens.md.",
  "shows it": "Share of responses in which at least half of the judge’s readable votes found the behaviour.",
};
Object.assign(MEASURES, SHARES);

// A heading with the buttons of its chart.
const headed = (title, id) => el("div", { class: "head" }, el("h3", {}, title), downloads(chartOf(id).title, sheetOf(id)));

// ---- scores

function scoreTable(rows) {
  const percentCell = (value, low, high) => number(percent(value), isNumber(low) ? range([low, high], percent) : "");
  const head = el("tr", {}, columnHead("Model"), columnHead("Responses"), columnHead("Problems × samples"), columnHead(term("accuracy", "Accuracy,\u00a0%")), columnHead(term("sampling interval", "sampling 95\u00a0%")),
    columnHead(term("problem interval", "problems 95\u00a0%")), columnHead(term("truncated", "Truncated,\u00a0%")), columnHead(term("unparsed", "Unparsed,\u00a0%")), columnHead(term("undecided", "Undecided,\u00a0%")),
    columnHead("Of completed,\u00a0%"), columnHead(el("span", {}, "Read")));
  const bodies = shownBenchmarks(rows).map((benchmark) => {
    const scores = rows.filter((row) => row.benchmark === benchmark), best = Math.max(...scores.map((row) => row.accuracy ?? -1));
    return el("tbody", {}, el("tr", { class: "group" }, el("th", { colspan: 11, scope: "rowgroup" }, benchmarkTitle(benchmark))), scores.map((row) => el("tr", {}, rowHead(armTag(row.model)),
      number(fixed(row.responses), row.ungraded > 0 ? `${fixed(row.ungraded)} without a verdict` : ""), number(`${fixed(row.problems)} × ${fixed(row.samples)}`),
      number(percent(row.accuracy), "", { class: isNumber(row.accuracy) && scores.length > 1 && row.accuracy === best ? "number best" : "number" }),
      number(range(pairInterval(row, "sampling_low", "sampling_high"), percent) || NONE), number(range(pairInterval(row, "problems_low", "problems_high"), percent) || NONE),
      percentCell(row.truncated, row.truncated_low, row.truncated_high), percentCell(row.unparsed, row.unparsed_low, row.unparsed_high), percentCell(row.over_budget, row.over_budget_low, row.over_budget_high),
      number(percent(row.completed_accuracy)), el("td", {}, exploreLink("responses", { models: row.model, benchmarks: benchmark })))));
  });
  return tableBox("Accuracy of every model on every benchmark, with what did not count", head, bodies, { class: "main" });
}

function scorePanels(rows) {
  const limit = Math.max(0, ...rows.flatMap((row) => [row.accuracy ?? 0, row.problems_high ?? 0]));
  return shownBenchmarks(rows).map((benchmark) => armPanel({
    title: benchmarkTitle(benchmark), kind: "point", text: (x) => percent(x), axisText: (x) => fixed(100 * x), axis: "accuracy, %", limit, columns: ["accuracy, %", "sampling 95 %", "problems 95 %"],
    sheet: sheetOf("scores", (row) => row.benchmark === benchmark),
    rows: rows.filter((row) => row.benchmark === benchmark).map((row) => ({ arm: row.model, value: row.accuracy, interval: pairInterval(row, "problems_low", "problems_high"),
      inner: pairInterval(row, "sampling_low", "sampling_high"), note: `${row.problems} × ${row.samples}` })) }));
}

// One chart of lines a benchmark.
function linePanels(id, { x, y, interval, title, note, xTitle, log = true }) {
  const rows = rowsOf(id);
  return shownBenchmarks(rows).map((benchmark) => {
    const here = rows.filter((row) => row.benchmark === benchmark), models = armNames.filter((model) => here.some((row) => row.model === model));
    const xs = [...new Set(here.map((row) => row[x]))].sort((a, b) => a - b);
    if (xs.length < 2) return null;
    const series = models.map((model) => ({ arm: model, points: here.filter((row) => row.model === model && isNumber(row[y])).map((row) => ({ x: row[x], y: row[y], interval: pairInterval(row, ...interval) })) }));
    const cell = (model, at) => here.find((row) => row.model === model && row[x] === at);
    const table = () => simpleTable(`${title}, ${benchmarkTitle(benchmark)}, in percent with 95 % intervals over problems`, [xTitle, ...models.map(armLabel)],
      xs.map((at) => [fixed(at), ...models.map((model) => { const row = cell(model, at); return row ? `${percent(row[y])} ${range(pairInterval(row, ...interval), percent)}` : NONE; })]));
    const panel = linePanel({ title: `${title}: ${benchmarkTitle(benchmark)}`, note, series, markers: true, table, sheet: sheetOf(id, (row) => row.benchmark === benchmark),
      xTitle, xText: (value) => fixed(value), yText: (value) => `${percent(value)} %`, yTick: (value, digits) => `${percent(value, Math.max(0, digits - 2))} %`, yOptions: { beginAtZero: true },
      xOptions: log ? { type: "logarithmic", afterBuildTicks: (axis) => { axis.ticks = xs.map((value) => ({ value })); }, ticks: { callback: (value) => fixed(value), autoSkip: true, maxRotation: 0 } } : {} });
    return panel && el("div", {}, panel, legend(models));
  }).filter(Boolean);
}

function addRunScores() {
  const rows = rowsOf("scores");
  if (rows.length === 0) return;
  const pass = linePanels("pass", { x: "k", y: "pass", interval: ["problems_low", "problems_high"], title: "pass@k", note: "Whiskers: 95 % over problems", xTitle: "k" });
  addSection("scores", "Scores", "Scores",
    lead("Every figure stands with its n and its interval. Bold: the highest accuracy of a benchmark; whether a lead is more than noise is for the paired differences below."),
    headed("Accuracy, and what did not count", "scores"), scoreTable(rows), panels(scorePanels(rows).filter(Boolean)),
    el("p", { class: "note" }, "Dot: ", term("accuracy"), ". Thick line: ", term("sampling interval"), ". Thin line: ", term("problem interval"), "."),
    pass.length > 0 ? [headed(chartOf("pass").title, "pass"), panels(pass)] : null);
}

function addDifferences() {
  const rows = rowsOf("differences");
  if (rows.length === 0) return;
  const head = el("tr", {}, columnHead("Model minus model"), columnHead("Benchmark"), columnHead("Shared problems"), columnHead("Points"), columnHead("95 % interval"), columnHead(term("p")), columnHead(el("span", {}, "Read")));
  const points = (x) => signed(100 * x, 1);
  const body = el("tbody", {}, rows.map((row) => el("tr", {}, rowHead([armTag(row.a), " − ", armTag(row.b)]), el("td", {}, benchmarkTitle(row.benchmark)), number(fixed(row.problems)),
    number(points(row.difference), "", { class: row.p < 0.01 ? "number best" : "number" }), number(range(pairInterval(row), points) || NONE), number(pValue(row.p)),
    el("td", {}, exploreLink("side by side", { models: row.a, beside: row.b, benchmarks: row.benchmark })))));
  addSection("differences", "Paired differences", "Differences",
    lead("Two models answer the same problems, so they are compared problem by problem. Bold: p below 0.01. No correction for the number of tests."),
    headed("Accuracy of one model minus another", "differences"), tableBox("Differences in points, with intervals and tests", head, body));
}

// ---- lengths

function addRunLengths() {
  const rows = rowsOf("lengths"), scores = rowsOf("scores"), content = [];
  if (rows.length === 0) return;
  for (const unit of ["tokens", "words"]) {
    for (const benchmark of shownBenchmarks(rows.filter((row) => row.unit === unit))) {
      const here = rows.filter((row) => row.unit === unit && row.benchmark === benchmark);
      content.push(armPanel({ title: `${capital(unit)}: ${benchmarkTitle(benchmark)}`, note: `Mean a response, 95 % over problems`, text: (x) => fixed(x), axis: unit,
        columns: ["Mean", "95 %", "10 %", "Quarter", "Median", "Three quarters", "90 %", "Longest", "n"], sheet: sheetOf("lengths", (row) => row.unit === unit && row.benchmark === benchmark),
        cells: ({ row }) => [fixed(row.mean, 1), range(pairInterval(row), (x) => fixed(x, 1)) || NONE, ...["p10", "p25", "median", "p75", "p90", "longest"].map((key) => fixed(row[key])), fixed(row.responses)],
        rows: here.map((row) => ({ arm: row.model, value: row.mean, interval: pairInterval(row), row, note: `median ${fixed(row.median)}, 90 % ${fixed(row.p90)}, n ${fixed(row.responses)}` })) }));
    }
  }
  const ends = ["truncated", "unparsed"].flatMap((key) => shownBenchmarks(scores).map((benchmark) => armPanel({
    title: `${capital(key)}: ${benchmarkTitle(benchmark)}`, note: MEASURES[key], text: (x) => `${percent(x)} %`, axisText: (x, digits) => percent(x, Math.max(0, digits - 2)), axis: "% of responses", sheet: sheetOf("scores", (row) => row.benchmark === benchmark),
    rows: scores.filter((row) => row.benchmark === benchmark).map((row) => ({ arm: row.model, value: row[key], interval: pairInterval(row, `${key}_low`, `${key}_high`), note: `n ${fixed(row.responses)}` })) }))).filter(Boolean);
  const budgets = linePanels("budgets", { x: "budget", y: "accuracy", interval: ["low", "high"], title: "Accuracy within a budget", note: "An answer counts only if it is complete within so many tokens", xTitle: "budget, tokens" });
  addSection("lengths", "Response length", "Length", lead("A model that writes more may win by length alone, and one that is cut has no answer."),
    headed("How long responses are", "lengths"), panels(content.filter(Boolean)), ends.length > 0 ? [el("h3", {}, "How they end"), panels(ends)] : null,
    budgets.length > 0 ? [headed(chartOf("budgets").title, "budgets"), paragraph("Every model is held to the same ", term("budget", "token budget"), "."), panels(budgets)] : null);
}

// ---- tokens

function wordsTable(benchmark) {
  const rows = rowsOf("words").filter((row) => row.benchmark === benchmark && !row.word.startsWith("<") && /[a-z]/i.test(row.word)), totals = new Map();
  for (const row of rows) totals.set(row.word, (totals.get(row.word) ?? 0) + row.count);
  const top = [...totals].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 20).map(([word]) => word);
  if (top.length === 0) return null;
  const models = armNames.filter((model) => rows.some((row) => row.model === model));
  const cell = (model, word) => rows.find((row) => row.model === model && row.word === word);
  return el("details", { class: "figures" }, el("summary", {}, `The commonest of these words: ${benchmarkTitle(benchmark)}`), downloads(`Words of ${benchmark}`, sheetOf("words", (row) => row.benchmark === benchmark)),
    tableBox(`The commonest words of the categories on ${benchmarkTitle(benchmark)}: rate per 1,000 and count`, el("tr", {}, columnHead("Word"), columnHead("Category"), models.map((model) => columnHead(armTag(model)))),
      el("tbody", {}, top.map((word) => el("tr", {}, rowHead(exploreLink(word, { q: `"${word}"`, benchmarks: benchmark })), el("td", {}, rows.find((row) => row.word === word).category),
        models.map((model) => number(fixed(cell(model, word)?.per_1000 ?? 0, 2), [`${fixed(cell(model, word)?.count ?? 0)} × `, range(pairInterval(cell(model, word) ?? {}), (x) => fixed(x, 2))])))))));
}

function addRunTokens() {
  const rows = rowsOf("tokens");
  if (rows.length === 0) return;
  const charts = shownBenchmarks(rows).flatMap((benchmark) => [...new Set(rows.map((row) => row.category))].map((category) => armPanel({
    title: `${words(category)}: ${benchmarkTitle(benchmark)}`, text: (x) => fixed(x, x < 100 ? 2 : 0), axisText: (x, digits) => fixed(x, digits), axis: "per 1,000 words", sheet: sheetOf("tokens", (row) => row.category === category && row.benchmark === benchmark),
    rows: rows.filter((row) => row.category === category && row.benchmark === benchmark).map((row) => ({ arm: row.model, value: row.per_1000, interval: pairInterval(row),
      note: `${fixed(row.count)} in ${fixed(row.words)} words of ${fixed(row.counted)} responses` })) })));
  addSection("tokens", "Tokens", "Tokens", lead("How often each model writes the words of each category, ", term("per 1,000 words"), "; 95 % intervals by bootstrap over problems. Truncated, repetitive and empty responses are left out, since they would drown the rest."),
    headed("Token categories", "tokens"), panels(charts.filter(Boolean)), leftOutTable(rows), shownBenchmarks(rows).map(wordsTable), positionsBlock(), correctnessBlock(), tokenDifferencesBlock(), distinctiveBlock());
}

// How many responses the rates stand on.
function leftOutTable(rows) {
  const first = rows.filter((row) => row.category === rows[0].category), cell = (row, key) => number(fixed(row[key]), row[key] > 0 ? `${percent(row[key] / row.responses)} %` : "");
  return el("details", { class: "figures" }, el("summary", {}, "What counts and what is left out"), tableBox("Responses that the rates stand on, and those left out", el("tr", {}, columnHead("Model"), columnHead("Benchmark"),
    ["Responses", "Counted", "Truncated", "Repetitive", "Empty", "Words counted"].map((head) => columnHead(head))),
    el("tbody", {}, first.map((row) => el("tr", {}, rowHead(armTag(row.model)), el("td", {}, benchmarkTitle(row.benchmark)), number(fixed(row.responses)), number(fixed(row.counted)), cell(row, "truncated"), cell(row, "repetitive"), cell(row, "empty"), number(fixed(row.words)))))));
}

function positionsBlock() {
  const rows = rowsOf("positions");
  if (rows.length === 0) return null;
  const categories = [...new Set(rows.map((row) => row.category))];
  const charts = shownBenchmarks(rows).flatMap((benchmark) => categories.map((category) => {
    const here = rows.filter((row) => row.benchmark === benchmark && row.category === category), models = armNames.filter((model) => here.some((row) => row.model === model && isNumber(row.per_1000)));
    const text = (x) => fixed(x, x < 10 ? 1 : 0);
    const panel = linePanel({ title: `${words(category)}: ${benchmarkTitle(benchmark)}`, note: "Per 1,000 words in each tenth of a response", height: 220, markers: true, xTitle: "tenth of the response", xText: (x) => fixed(x), yText: text, yTick: fixed, yOptions: { beginAtZero: true },
      xOptions: { ticks: { stepSize: 1, callback: (value) => fixed(value) } }, sheet: sheetOf("positions", (row) => row.benchmark === benchmark && row.category === category),
      series: models.map((model) => ({ arm: model, points: here.filter((row) => row.model === model && isNumber(row.per_1000)).map((row) => ({ x: row.tenth, y: row.per_1000, interval: pairInterval(row) })) })),
      table: () => simpleTable(`${words(category)} by tenth of the response, ${benchmarkTitle(benchmark)}, per 1,000 words`, ["Tenth", ...models.map(armLabel)],
        [...Array(10).keys()].map((i) => [fixed(i + 1), ...models.map((model) => { const row = here.find((one) => one.model === model && one.tenth === i + 1); return row && isNumber(row.per_1000) ? `${fixed(row.per_1000, 1)} ${range(pairInterval(row), (x) => fixed(x, 1))}` : NONE; })])) });
    return panel && el("div", {}, panel, legend(models));
  })).filter(Boolean);
  return charts.length === 0 ? null : el("details", { class: "block" }, el("summary", {}, "Where in the response"), headed("Where in the response", "positions"), panels(charts));
}

function correctnessBlock() {
  const rows = rowsOf("correctness").filter((row) => isNumber(row.right_minus_wrong));
  if (rows.length === 0) return null;
  const text = (x) => signed(x, 2);
  return el("details", { class: "block" }, el("summary", {}, "Right responses against wrong ones"), headed("Right against wrong", "correctness"), paragraph("Within a problem that has both: the rate per 1,000 words of its right responses minus that of its wrong ones."),
    tableBox("Rate of right responses minus rate of wrong ones to the same problem", el("tr", {}, columnHead("Model"), columnHead("Benchmark"), columnHead("Category"), columnHead("Problems"), columnHead("Responses"), columnHead("Per 1,000"), columnHead("95 % interval"), columnHead(term("p"))),
      el("tbody", {}, rows.map((row) => el("tr", {}, rowHead(armTag(row.model)), el("td", {}, benchmarkTitle(row.benchmark)), el("td", {}, words(row.category)), number(fixed(row.problems)), number(fixed(row.responses)), number(text(row.right_minus_wrong), "", { class: row.p < 0.01 ? "number best" : "number" }), number(range(pairInterval(row), text) || NONE), number(pValue(row.p)))))));
}

function tokenDifferencesBlock() {
  const rows = rowsOf("token_differences");
  if (rows.length === 0) return null;
  const text = (x) => signed(x, 2);
  return el("details", { class: "block" }, el("summary", {}, "Differences between models, also at like length"), headed("Differences between models", "token_differences"),
    tableBox("Rate per 1,000 words of one model minus another’s, and the same with responses of like length; bold: p below 0.01 after Holm", el("tr", {}, columnHead("Model minus model"), columnHead("Benchmark"), columnHead("Category"), columnHead("Problems"), columnHead("Per 1,000"), columnHead("95 % interval"), columnHead(term("p")), columnHead("p (Holm)"), columnHead("At like length"), columnHead("95 % interval")),
      el("tbody", {}, rows.map((row) => el("tr", {}, rowHead([armTag(row.a), " − ", armTag(row.b)]), el("td", {}, benchmarkTitle(row.benchmark)), el("td", {}, words(row.category)), number(fixed(row.problems), row.paired ? "paired" : "not paired"),
        number(text(row.difference), "", { class: row.p_holm < 0.01 ? "number best" : "number" }), number(range(pairInterval(row), text) || NONE), number(pValue(row.p)), number(pValue(row.p_holm)), number(text(row.matched_difference), `${fixed(row.matched_responses)} responses`), number(range(pairInterval(row, "matched_low", "matched_high"), text) || NONE))))));
}

function distinctiveBlock() {
  const rows = rowsOf("distinctive");
  if (rows.length === 0) return null;
  const keyOf = (row) => JSON.stringify([row.a, row.b, row.benchmark]);
  const keys = [...new Set(rows.map(keyOf))];
  let chosen = keys[0];
  const tokens = () => rows.filter((row) => keyOf(row) === chosen && isNumber(row.z) && row.z !== 0).sort((x, y) => y.z - x.z);
  const build = () => {
    const here = tokens(), sides = here.map((row) => (row.z > 0 ? row.a : row.b));
    return { type: "bar", data: { labels: here.map((row) => row.token), datasets: [{ data: here.map((row) => row.z), backgroundColor: sides.map(armFill), barPercentage: 0.8, categoryPercentage: 0.9 }] },
      options: { indexAxis: "y", scales: { x: valueAxis("z-score", (x) => fixed(x)), y: { grid: { display: false }, border: { display: false }, ticks: { autoSkip: false, color: colour("var(--ink)"), font: { size: 11, family: getComputedStyle(root).getPropertyValue("--mono") } } } },
        plugins: { tooltip: { callbacks: { label: ({ dataIndex: i }) => [`z = ${signed(here[i].z, 2)}`, `${armLabel(here[i].a)}: ${fixed(here[i].count_a)} ×`, `${armLabel(here[i].b)}: ${fixed(here[i].count_b)} ×`] } } } } };
  };
  const [a, b] = JSON.parse(chosen);
  const table = () => simpleTable("Distinctive tokens", ["Token", "z", "Count in the first", "Count in the second", "Per 1,000 in the first", "Per 1,000 in the second"], tokens().map((row) => [row.token, signed(row.z, 2), fixed(row.count_a), fixed(row.count_b), fixed(row.per_1000_a, 2), fixed(row.per_1000_b, 2)]));
  const key = el("div", {}, legend([a, b]));
  const chart = figure({ title: "Most distinctive tokens", note: "Bars to the right: more typical of the first model; to the left: of the second.", height: 40 + 19 * tokens().length, build, table,
    sheet: () => sheetOf("distinctive", (row) => keyOf(row) === chosen)(), summary: `Distinctive tokens of ${a} against ${b}` });
  const options = keys.map((one) => { const [x, y, benchmark] = JSON.parse(one); return [one, `${x} against ${y}, ${benchmarkTitle(benchmark)}`]; });
  const picker = choice("Pair", options, chosen, (value) => {
    chosen = value;
    const [x, y] = JSON.parse(value);
    key.replaceChildren(legend([x, y]));
    chart.redraw(`Distinctive tokens of ${x} against ${y}`);
  });
  return el("div", { class: "block" }, el("h3", {}, "What tells two models apart"), paragraph("The tokens with the most extreme ", term("z", "z-scores"), " of the log-odds between two models."), el("div", { class: "controls" }, picker), key, chart);
}

// ---- behaviours

const behaviorTitle = (name) => words(name);

function addRunBehaviors() {
  const rows = rowsOf("behaviors");
  if (rows.length === 0) return;
  const parts = [...new Set(rows.map((row) => row.judge))].flatMap((judge) => shownBenchmarks(rows.filter((row) => row.judge === judge)).map((benchmark) => {
    const here = rows.filter((row) => row.judge === judge && row.benchmark === benchmark), names = [...new Set(here.map((row) => row.behavior))];
    const models = armNames.filter((model) => here.some((row) => row.model === model));
    const cell = (model, name) => here.find((row) => row.model === model && row.behavior === name);
    const panel = (name) => armPanel({ title: `${behaviorTitle(name)}: ${benchmarkTitle(benchmark)}`, note: judge, text: (x) => fixed(x, 2), axisText: (x, digits) => fixed(x, digits), axis: "mean a response",
      sheet: sheetOf("behaviors", (row) => row.judge === judge && row.benchmark === benchmark && row.behavior === name),
      rows: models.map((model) => cell(model, name)).filter(Boolean).map((row) => ({ arm: row.model, value: row.mean, interval: pairInterval(row), note: `in ${percent(row.share, 0)} % of ${fixed(row.judged)} responses` })) });
    const head = el("tr", {}, columnHead("Behaviour"), models.map((model) => columnHead(armTag(model))));
    const counted = el("tr", {}, rowHead("Responses judged"), models.map((model) => { const row = here.find((one) => one.model === model); return number(fixed(row.judged), `${plural(row.votes, "vote")}, ${fixed(row.unparsed)} unparsed, ${fixed(row.refused)} refused`); }));
    const body = el("tbody", {}, counted, names.map((name) => el("tr", {}, rowHead(behaviorTitle(name)), models.map((model) => {
      const row = cell(model, name);
      return row ? number(fixed(row.mean, 2), [range(pairInterval(row), (x) => fixed(x, 2)), el("br"), isNumber(row.share) ? `${percent(row.share, 0)} % ${range(pairInterval(row, "share_low", "share_high"), (x) => percent(x, 0))}` : ""]) : number(NONE);
    }))));
    const first = names.filter((name) => here.some((row) => row.behavior === name && row.mean > 0)).slice(0, 6);
    return [el("h3", {}, `${judge}: ${benchmarkTitle(benchmark)}`), panels(first.map(panel).filter(Boolean)), el("details", { class: "figures", open: true }, el("summary", {}, "Every behaviour"),
      tableBox(`Behaviours as ${judge} sees them on ${benchmarkTitle(benchmark)}: mean a response, 95 % interval, and the share of responses that show it`, head, body))];
  }));
  addSection("behaviors", "Behaviours", "Behaviours", lead("What judges found, with the place in the text as evidence; a response that a judge could not read is left out, never counted as 0. Share: ", term("shows it", "at least half of the votes"), "."),
    headed("All judges", "behaviors"), parts);
}

// ---- the page

function addRunMeasures() {
  const names = [...Object.keys(SHARES), ...RUN_MEASURES].filter((name) => document.querySelector(`[data-measure="${CSS.escape(name)}"]`));
  addSection("measures", "Measures", "Measures", el("dl", { class: "arms" }, names.map((name) => el("div", {}, el("dt", {}, name), el("dd", {}, MEASURES[name])))));
}

function drawPage() {
  figures.splice(0).forEach((one) => one.chart?.destroy());
  sections.splice(0);
  document.getElementById("page").replaceChildren();
  document.getElementById("contents").replaceChildren();
  for (const add of [addRunScores, addDifferences, addRunLengths, addRunTokens, addRunBehaviors, addRunMeasures]) add();
  if (chosenModels.size === 0 || chosenBenchmarks.size === 0) document.getElementById("page").append(el("p", { class: "banner", role: "status" }, "Choose at least one model and one benchmark."));
  drawAll();
}

function drawHero() {
  const facts = [report.retort && `retort ${report.retort}`, isNumber(report.seed) && `seed ${report.seed}`].filter(Boolean).join(" · ");
  const tile = (label, value) => el("div", { class: "tile" }, el("dt", {}, label), el("dd", {}, el("strong", {}, fixed(value))));
  const notes = list("notes");
  document.getElementById("hero").replaceChildren(el("p", { class: "facts" }, facts), el("h1", {}, report.title ?? "Responses compared"),
    el("dl", { class: "tiles" }, tile(armNames.length === 1 ? "Model" : "Models", armNames.length), tile(benchmarks.length === 1 ? "Benchmark" : "Benchmarks", benchmarks.length), tile("Responses", report.responses)),
    el("a", { class: "explore", href: "explorer.html" }, "Explore the responses →"),
    ...(notes.length > 0 ? [el("div", { class: "notes banner", role: "note" }, el("strong", {}, "What to know of these figures"), el("ul", {}, notes.map((one) => el("li", {}, `${fixed(one.count)} ${one.text}.`))))] : []));
}

function drawChoices() {
  const box = (set, name, content) => el("label", { class: "toggle" }, el("input", { type: "checkbox", checked: true, change: (event) => {
    if (event.target.checked) set.add(name); else set.delete(name);
    drawPage();
  } }), content);
  document.getElementById("choose").append(
    el("fieldset", {}, el("legend", {}, "Models"), armNames.map((name) => box(chosenModels, name, armTag(name)))),
    ...(benchmarks.length > 1 ? [el("fieldset", {}, el("legend", {}, "Benchmarks"), benchmarks.map((name) => box(chosenBenchmarks, name, benchmarkTitle(name))))] : []));
}

document.title = report.title ?? "Responses compared";
drawHero();
drawChoices();
watchTheme(drawAll);
drawPage();
watchTerms(MEASURES);
document.getElementById("footer").append(`Made by retort ${report.retort ?? ""}. Every chart is also a file in the folder figures/, as CSV and as JSON.`);
root.dataset.ready = "true"; // for those who check the page from outside
