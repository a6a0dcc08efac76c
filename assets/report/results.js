// Who won: the verdict, the main table, the scores with their intervals, paired tests, the paper's claims.
const DISTILLED = "distilled", ZERO_RL = "zero-rl";
const DECISIVE = 0.01; // two-sided p below which the study calls a difference decided
const points = (share, digits = 1) => signed(isNumber(share) ? 100 * share : share, digits);

const pairOf = (a, b, split) => list("paired").find((one) => one.a === a && one.b === b && one.split === split);
const mainSplit = () => (splits.includes("test") ? "test" : splits[0]);

// A winner that is not clearly above the untrained base has won little, and the headline says so.
function besideBase(winner, split) {
  const base = scoreOf("base", split), over = pairOf(winner, "base", split);
  if (!base || !over || (over.p < DECISIVE && over.difference > 0)) return "";
  return `, but not above the base’s ${percent(base.avg)} % (${pEquation(over.p)})`;
}

function verdictSentence() {
  if (report.sweep) return sweepSentence();
  const split = mainSplit(), pair = pairOf(DISTILLED, ZERO_RL, split);
  const a = scoreOf(DISTILLED, split), b = scoreOf(ZERO_RL, split);
  if (!a || !b) return "This report lacks the scores of the distilled and the zero-RL model.";
  const n = a.n_samples, difference = pair?.difference ?? a.avg - b.avg;
  const decided = isNumber(pair?.p) && pair.p < DECISIVE && difference !== 0;
  const zero = "zero‑RL"; // with a hyphen that does not break
  const winner = difference > 0 ? ["Distillation", percent(a.avg), `${zero}’s`, percent(b.avg)] : [capital(zero), percent(b.avg), "distillation’s", percent(a.avg)];
  const test = pair ? ` (paired ${pEquation(pair.p)}, ${plural(pair.problems, "problem")})` : "";
  if (decided)
    return `${winner[0]} wins on ${split}: ${winner[1]} % against ${winner[2]} ${winner[3]} % avg@${n}, ` +
      `a lead of ${fixed(Math.abs(100 * difference), 1)} points${test}${besideBase(difference > 0 ? DISTILLED : ZERO_RL, split)}.`;
  return `Undecided on ${split}: distillation scores ${percent(a.avg)} % and ${zero} ${percent(b.avg)} % avg@${n}, ` +
    `${points(difference)} points${test}.`;
}

function tile(label, value, unit, note) {
  return el("div", { class: "tile" }, el("dt", {}, label), el("dd", {}, el("strong", {}, value, unit ? el("small", {}, ` ${unit}`) : null), note ? el("span", {}, note) : null));
}

function headlineTiles() {
  const split = mainSplit(), tiles = [];
  for (const arm of ["base", DISTILLED, ZERO_RL]) {
    const score = scoreOf(arm, split);
    if (score) tiles.push(tile([armTag(arm)], percent(score.avg), "%", `${range(score.problems_interval, percent)} avg@${score.n_samples} on ${split}`));
  }
  const cost = (arm, key) => armsByName.get(arm)?.training?.[key];
  const ratio = (key) => cost(ZERO_RL, key) / cost(DISTILLED, key);
  const times = (x) => (x < 1 ? significant(Number(x.toPrecision(2))) : fixed(x, x < 10 ? 1 : 0));
  const pair = pairOf(DISTILLED, ZERO_RL, split);
  if (pair) tiles.push(tile("Distilled − zero-RL", points(pair.difference), "points", `95 % ${range(pair.interval, (x) => points(x))}, ${pEquation(pair.p)}`));
  if (ratio("total_flops") > 0)
    tiles.push(tile("Zero-RL’s compute", times(ratio("total_flops")), "× distillation’s", `${scientific(cost(ZERO_RL, "total_flops"))} against ${scientific(cost(DISTILLED, "total_flops"))} FLOPs`));
  if (ratio("distinct_problems") > 0)
    tiles.push(tile("Zero-RL’s problems", times(ratio("distinct_problems")), "× distillation’s", `${fixed(cost(ZERO_RL, "distinct_problems"))} against ${fixed(cost(DISTILLED, "distinct_problems"))}`));
  return el("dl", { class: "tiles" }, tiles);
}

function addHeadline() {
  const page = document.getElementById("page");
  const quick = report.quick ? el("p", { class: "banner", role: "note" }, el("strong", {}, "Quick run. "),
    "Small numbers show that every step works; they decide nothing. The default study answers the question.") : null;
  const facts = [report.retort && `retort ${report.retort}`, isNumber(report.seed) && `seed ${report.seed}`,
    `${armNames.length} arms`, `splits ${splits.join(", ")}`].filter(Boolean).join(" · ");
  page.prepend(el("div", { class: "hero" }, el("p", { class: "facts" }, facts), el("h1", {}, report.title ?? "retort report"), quick,
    el("p", { class: "verdict" }, verdictSentence().replaceAll(" %", "\u00a0%")), headlineTiles()));
}

const PASS = ["1", "4", "8", "16"];

function mainTable() {
  const passes = PASS.filter((k) => list("scores").some((score) => isNumber(score.pass_at?.[k])));
  const samples = Math.max(...list("scores").map((score) => score.n_samples));
  const head = el("tr", {}, columnHead("Arm"), columnHead(term("avg@n", `avg@${samples}`)), columnHead(term("sampling interval", "sampling 95 %")),
    columnHead(term("problem interval", "problems 95 %")), passes.map((k) => columnHead(term("pass@k", `pass@${k}`))),
    columnHead(term("stop rate", "stop")), columnHead(term("length rate", "length")), columnHead(term("unparsed rate", "unparsed")),
    columnHead(term("mean length", "tokens")));
  const bodies = splits.map((split) => {
    const scores = list("scores").filter((score) => score.split === split);
    const best = (value) => Math.max(...scores.map(value).filter(isNumber));
    const marked = (value, get) => number(percent(value), "", { class: isNumber(value) && value > 0 && value === best(get) ? "number best" : "number" });
    return el("tbody", {}, el("tr", { class: "group" }, el("th", { colspan: 8 + passes.length, scope: "rowgroup" },
      el("span", {}, capital(split)), el("small", {}, ` ${plural(scores[0].n_problems, "problem")} × ${plural(scores[0].n_samples, "sample")}`))),
    scores.map((score) => el("tr", {}, rowHead(armTag(score.arm)), marked(score.avg, (s) => s.avg),
      number(range(score.sampling_interval, percent)), number(range(score.problems_interval, percent)),
      passes.map((k) => marked(score.pass_at?.[k], (s) => s.pass_at?.[k])),
      number(percent(score.stop_rate)), number(percent(score.length_rate)), number(percent(score.unparsed_rate)), number(fixed(score.mean_length, 1)))));
  });
  return tableBox("Scores of every arm on every split, in percent; tokens in mean number a response", head, bodies, { class: "main" });
}

function addScores() {
  if (splits.length === 0) return;
  const limit = Math.max(...list("scores").flatMap((score) => [score.avg, score.problems_interval?.[1] ?? 0]));
  const charts = splits.map((split) => armPanel({
    title: capital(split), kind: "point", text: (x) => percent(x), axisText: (x) => fixed(100 * x), axis: "avg@n, %", limit,
    columns: ["avg@n, %", "sampling 95 %", "problems 95 %"],
    rows: list("scores").filter((score) => score.split === split).map((score) => ({ arm: score.arm, value: score.avg,
      interval: score.problems_interval, inner: score.sampling_interval, note: `${score.n_problems} × ${score.n_samples}` })) }));
  addSection("results", "Scores", "Scores", lead("The highest value of each column and split is bold; only the paired tests say whether a lead is more than noise."),
    mainTable(), panels(charts),
    el("p", { class: "note" }, "Dot: ", term("avg@n"), ". Thick line: ", term("sampling interval"), ". Thin line: ", term("problem interval"), "."));
}

const VERDICT_SIGNS = { supported: "✓", contradicted: "✗", undecided: "?" };
const chip = (verdict) => el("span", { class: `chip ${verdict in VERDICT_SIGNS ? verdict : "undecided"}` }, el("span", { "aria-hidden": "true" }, VERDICT_SIGNS[verdict] ?? "?"), ` ${verdict}`);
const minusSigns = (text) => String(text ?? "").replace(/(^|[\s[(])-(?=\d)/g, "$1−");

function addClaims() {
  const claims = list("claims");
  if (claims.length === 0) return;
  const counts = Object.keys(VERDICT_SIGNS).map((verdict) => [verdict, claims.filter((claim) => claim.verdict === verdict).length]);
  const cards = claims.map((claim) => el("li", { class: "claim", id: `claim-${claim.id}` },
    el("div", { class: "claim-head" }, chip(claim.verdict), el("h3", {}, claim.statement)),
    el("p", {}, minusSigns(claim.detail)),
    el("p", { class: "statistic" }, `statistic ${significant(claim.statistic)}`, isNumber(claim.p) ? [" · ", term("p", pEquation(claim.p))] : " · no test")));
  addSection("claims", report.sweep ? "What was to be decided" : "The paper’s claims, here", "Claims",
    report.sweep ? lead("Seeds pooled, at the settings that stand first in each list. Thresholds were fixed before the first run.") : lead("The claims of “Why Distillation can Outperform Zero-RL” (arXiv 2505.21067), tested on this run. Thresholds were fixed before the first run."),
    el("p", { class: "counts" }, counts.map(([verdict, count]) => el("span", {}, chip(verdict), ` ${count}`))), el("ol", { class: "claims" }, cards));
}

function addPaired() {
  const pairs = list("paired");
  if (pairs.length === 0) return;
  const shown = [...new Set(pairs.map((pair) => `${pair.a}\n${pair.b}`))].map((key) => key.split("\n"));
  const head = el("tr", {}, columnHead("Arm minus arm"), splits.map((split) => [columnHead(`${capital(split)}: points`), columnHead("95 % interval"), columnHead(term("p"))]));
  const body = el("tbody", {}, shown.map(([a, b]) => el("tr", {}, rowHead([armTag(a), " − ", armTag(b)]), splits.map((split) => {
    const pair = pairOf(a, b, split);
    if (!pair) return [number(NONE), number(NONE), number(NONE)];
    return [number(points(pair.difference), "", { class: pair.p < DECISIVE ? "number best" : "number" }), number(range(pair.interval, (x) => points(x))), number(pValue(pair.p))];
  }))));
  addSection("paired", "Paired comparisons", "Pairs", lead("Two arms answer the same problems, so their differences are tested problem by problem. Bold: p below 0.01."),
    tableBox("Differences of avg@n in points, with intervals and tests", head, body),
    el("p", { class: "note" }, `Problems: ${splits.map((split) => `${split} ${pairs.find((pair) => pair.split === split)?.problems ?? NONE}`).join(", ")}. No correction for the number of tests.`));
}
