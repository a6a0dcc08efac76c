// What is different in the texts: categories of tokens, distinctive tokens, bans, behaviours.
const CATEGORIES = [["anthropomorphic", "anthropomorphic tokens"], ["logical", "logical connectors"], ["mathematical", "mathematical tokens"]];

function addTokens() {
  const stats = list("tokens");
  if (stats.length === 0) return;
  const count = (one) => `${plural(one.responses, "response")}, ${plural(one.lexemes, "token")}`;
  const charts = CATEGORIES.map(([key, name]) => armPanel({
    title: capital(name), text: (x) => fixed(x, x < 100 ? 1 : 0), axisText: fixed, axis: "per 1,000 lexical tokens",
    rows: stats.map((one) => ({ arm: one.arm, value: one.rates?.[key]?.per_1000, interval: one.rates?.[key]?.interval, note: count(one) })) }));
  addSection("tokens", "Tokens", "Tokens",
    lead("How often each arm writes ", term("anthropomorphic tokens"), " and ", term("logical connectors"), ", against ", term("mathematical tokens"), "; rates ", term("per 1,000"), " on the test split, 95 % intervals by bootstrap over problems."),
    panels(charts), wordTable(stats), distinctiveFigure());
}

// The commonest words of the two word categories, arm by arm.
function wordTable(stats) {
  const totals = new Map();
  for (const one of stats) for (const word of one.words ?? []) totals.set(word.word, (totals.get(word.word) ?? 0) + word.count);
  const top = [...totals].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 15).map(([word]) => word);
  if (top.length === 0) return null;
  const rate = (one, word) => one.words?.find((entry) => entry.word === word);
  const table = tableBox("The commonest of these words: rate per 1,000 and count", el("tr", {}, columnHead("Word"), stats.map((one) => columnHead(armTag(one.arm)))),
    el("tbody", {}, top.map((word) => el("tr", {}, rowHead(word), stats.map((one) => number(fixed(rate(one, word)?.per_1000 ?? 0, 1), `${fixed(rate(one, word)?.count ?? 0)} ×`))))));
  return el("details", { class: "figures" }, el("summary", {}, "The commonest of these words, arm by arm"), table);
}

// The tokens of a pair in the asked order: reversing a pair reverses the signs.
function distinctiveOf(a, b) {
  const forward = list("distinctive").find((one) => one.a === a && one.b === b);
  if (forward) return forward.tokens;
  const backward = list("distinctive").find((one) => one.a === b && one.b === a);
  return backward?.tokens.map((token) => ({ ...token, z: -token.z, count_a: token.count_b, count_b: token.count_a })).reverse();
}

function distinctiveFigure() {
  const pairs = list("distinctive");
  if (pairs.length === 0) return null;
  const names = armNames.filter((name) => pairs.some((one) => one.a === name || one.b === name));
  const chosen = distinctiveOf(DISTILLED, ZERO_RL) ? { a: DISTILLED, b: ZERO_RL } : { a: pairs[0].a, b: pairs[0].b };
  const tokens = () => [...(distinctiveOf(chosen.a, chosen.b) ?? [])].filter((token) => isNumber(token.z) && token.z !== 0).sort((x, y) => y.z - x.z);
  const shown = (token) => (token.category && token.category !== "other" ? `${token.token}  (${token.category.slice(0, 4)})` : token.token);
  const build = () => {
    const rows = tokens(), sides = rows.map((token) => (token.z > 0 ? chosen.a : chosen.b));
    return { type: "bar",
      data: { labels: rows.map(shown), datasets: [{ data: rows.map((token) => token.z), backgroundColor: sides.map(armFill), barPercentage: 0.8, categoryPercentage: 0.9 }] },
      options: { indexAxis: "y", scales: {
        x: valueAxis("z-score", (x) => fixed(x)),
        y: { grid: { display: false }, border: { display: false }, ticks: { autoSkip: false, color: colour("var(--ink)"), font: { size: 11, family: getComputedStyle(root).getPropertyValue("--mono") } } } },
      plugins: { tooltip: { callbacks: { label: ({ dataIndex: i }) => [`z = ${signed(rows[i].z, 2)}`, `${armLabel(chosen.a)}: ${fixed(rows[i].count_a)} ×`, `${armLabel(chosen.b)}: ${fixed(rows[i].count_b)} ×`] } } } } };
  };
  const table = () => simpleTable(`Distinctive tokens of ${armLabel(chosen.a)} and ${armLabel(chosen.b)}`,
    ["Token", "Category", "z", armLabel(chosen.a), armLabel(chosen.b)],
    tokens().map((token) => [token.token, token.category, signed(token.z, 2), fixed(token.count_a), fixed(token.count_b)]));
  const chart = figure({ title: "Most distinctive tokens", note: "Bars to the right: more typical of the first arm; to the left: of the second. anth: anthropomorphic, logi: logical, math: mathematical.",
    height: 620, build, table, sheet: () => ({ id: "distinctive", title: "Most distinctive tokens", columns: ["token", "category", "z", "count_a", "count_b", "a", "b"].map((key) => ({ key })),
      rows: tokens().map((token) => [token.token, token.category, token.z, token.count_a, token.count_b, chosen.a, chosen.b]) }), summary: `Distinctive tokens of ${armLabel(chosen.a)} against ${armLabel(chosen.b)}` });
  const change = (side) => (name) => {
    const other = side === "a" ? "b" : "a";
    if (name === chosen[other]) {
      chosen[other] = chosen[side];
      selects.querySelectorAll("select")[other === "a" ? 0 : 1].value = chosen[other];
    }
    chosen[side] = name;
    key.replaceChildren(...legend([chosen.a, chosen.b]).children);
    chart.redraw(`Distinctive tokens of ${armLabel(chosen.a)} against ${armLabel(chosen.b)}`);
  };
  const options = names.map((name) => [name, armLabel(name)]);
  const selects = el("div", { class: "controls" }, choice("First arm", options, chosen.a, change("a")), choice("Second arm", options, chosen.b, change("b")));
  const key = legend([chosen.a, chosen.b]);
  return el("div", { class: "block" }, el("h3", {}, "What tells two arms apart"), paragraph("The tokens with the most extreme ", term("z", "z-scores"), " of the log-odds between two arms."), selects, key, chart);
}

function addBans() {
  const bans = list("bans");
  if (bans.length === 0) return;
  const head = el("tr", {}, columnHead("Arm"), columnHead("avg, free"), columnHead("avg, banned"), columnHead("Change, points"), columnHead("95 % interval"),
    columnHead(term("p")), columnHead("Problems"), columnHead("Banned words"), columnHead(term("occurrences", "Found")));
  const body = el("tbody", {}, bans.map((ban) => el("tr", {}, rowHead(armTag(ban.arm)), number(`${percent(ban.avg)} %`), number(`${percent(ban.avg_banned)} %`),
    number(points(ban.difference), "", { class: ban.p < DECISIVE ? "number best" : "number" }), number(range(ban.interval, (x) => points(x))), number(pValue(ban.p)),
    number(fixed(ban.problems)), number(fixed(ban.words?.length)), number(fixed(ban.occurrences), ban.occurrences === 0 ? "proof of absence" : "the ban leaked"))));
  const lists = [...new Set(bans.map((ban) => (ban.words ?? []).join(" ")))].filter(Boolean);
  addSection("bans", "Decoding without those tokens", "Bans",
    lead("The same weights, sampled with every anthropomorphic token and logical connector banned. If the tokens carried the skill, the score would fall to the base’s."),
    tableBox("Scores with and without the banned tokens", head, body),
    lists.map((text) => el("details", {}, el("summary", {}, `What was banned (${text.split(" ").length} words, in any case)`), el("p", { class: "wordlist" }, text.split(" ").join(", ")))));
}

const BEHAVIORS = {
  perspective: "Changes to another approach", metacognitive: "Self-checks, doubts, corrections", attempts: "Attempts", approaches: "Distinct approaches",
  checks: "Self-checks", doubts: "Doubts, noticed failures", corrections: "Corrections", backtracks: "Backtracking", verifications: "Final verification",
  true_steps: "Right arithmetic steps", false_steps: "Wrong arithmetic steps",
};

function addBehaviors() {
  const entries = list("behaviors");
  if (entries.length === 0) return;
  const text = (x) => fixed(x, 2);
  const panel = (key, title, note) => armPanel({ title, note, text, axisText: fixed, axis: "per response",
    rows: entries.map((one) => ({ arm: one.arm, value: one.counts?.[key]?.mean, interval: one.counts?.[key]?.interval,
      note: isNumber(one.counts?.[key]?.share) ? `in ${percent(one.counts[key].share, 0)} % of responses` : "" })) });
  const keys = [...new Set(entries.flatMap((one) => Object.keys(one.counts ?? {})))];
  const head = el("tr", {}, columnHead("Behaviour"), entries.map((one) => columnHead(armTag(one.arm))));
  const cell = (count) => (count ? number(text(count.mean), [range(count.interval, text), isNumber(count.share) ? [el("br"), `${percent(count.share, 0)} %`] : ""]) : number(NONE));
  const body = el("tbody", {}, keys.map((key) => el("tr", {}, rowHead(BEHAVIORS[key] ?? words(key)), entries.map((one) => cell(one.counts?.[key])))));
  addSection("behaviors", "Behaviours", "Behaviours",
    lead("Read off exactly, because the grammar of this world is known: no judge model. Mean number per response on the test split, 95 % intervals by bootstrap over problems."),
    panels(panel("perspective", "Multi-Perspective Thinking or Attempting", MEASURES["multi-perspective"].split(": ")[1]),
      panel("metacognitive", "Metacognitive Awareness", MEASURES.metacognitive.split(": ")[1])),
    el("details", { class: "figures", open: true }, el("summary", {}, "Every behaviour"), tableBox("Behaviours: mean per response, 95 % interval, share of responses that show it", head, body)));
}
