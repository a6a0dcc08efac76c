// What it took: lengths, learning curves, cost against accuracy, the account, the settings.
const shareTick = (y, digits) => `${percent(y, Math.max(0, digits - 2))} %`;

function addLengths() {
  const text = (x) => fixed(x, 0), split = mainSplit();
  const mean = armPanel({ title: "Mean response length", note: `Tokens, ${split} split`, text, axis: "tokens",
    columns: ["Mean", "Median", "Cut at the limit, %", "Right among completed, %"],
    cells: ({ score }) => [fixed(score.mean_length, 1), fixed(score.median_length, 1), percent(score.length_rate), percent(score.completed_accuracy)],
    rows: list("scores").filter((score) => score.split === split).map((score) => ({ arm: score.arm, value: score.mean_length, score, note: `median ${fixed(score.median_length, 0)}` })) });
  const control = list("length_control");
  const names = armNames.filter((name) => control.some((one) => isNumber(one.scores?.[name])));
  const lines = linePanel({ title: "Accuracy within a token budget", note: "An answer counts only if it is complete within the budget", height: 300, markers: true,
    series: names.map((arm) => ({ arm, points: control.filter((one) => isNumber(one.scores?.[arm])).map((one) => ({ x: one.budget, y: one.scores[arm] })) })),
    xTitle: "budget, tokens", xText: (x) => fixed(x), yText: (y) => `${percent(y)} %`, yTick: shareTick, yOptions: { beginAtZero: true },
    xOptions: { type: "logarithmic", afterBuildTicks: (axis) => { axis.ticks = control.map((one) => ({ value: one.budget })); }, ticks: { callback: (x) => fixed(x), autoSkip: true, maxRotation: 0 } } });
  const table = control.length === 0 ? null : el("details", { class: "figures" }, el("summary", {}, "Accuracy within a budget: figures"),
    simpleTable("Accuracy in percent when only answers within the budget count", ["Budget, tokens", ...names.map(armLabel)],
      control.map((one) => [fixed(one.budget), ...names.map((name) => percent(one.scores?.[name]))])));
  addSection("lengths", "Response length", "Length",
    lead("A model that writes more may win by length alone. Here every arm is held to the same ", term("budget", "token budget"), "."),
    panels(mean, lines ? el("div", {}, lines, legend(names)) : null), table);
}

const curveOf = (arm, key) => (report.curves?.[arm] ?? []).filter((point) => isNumber(point.step) && isNumber(point[key])).map((point) => ({ x: point.step, y: point[key] }));

// Centred moving average over about a twelfth of the curve; the raw curve stays visible behind it.
function smooth(points) {
  const reach = Math.floor(points.length / 24);
  if (reach < 1) return null;
  return points.map((point, i) => {
    const near = points.slice(Math.max(0, i - reach), i + reach + 1);
    return { x: point.x, y: near.reduce((sum, one) => sum + one.y, 0) / near.length };
  });
}

function curvePanel(arms, key, title, note, yText, yOptions, yTick = fixed) {
  const series = arms.flatMap((arm) => {
    const raw = curveOf(arm, key), mean = smooth(raw);
    return mean ? [{ arm, points: raw, thin: true }, { arm, points: mean }] : [{ arm, points: raw }];
  });
  const chart = linePanel({ title, note, series, xTitle: "step", xText: (x) => fixed(x), yText, yTick, yOptions, height: 220 });
  return chart && el("div", {}, chart, legend(arms.filter((arm) => curveOf(arm, key).length > 0)));
}

function addCurves() {
  const trained = Object.keys(report.curves ?? {});
  const rl = trained.filter((arm) => curveOf(arm, "reward").length > 0), supervised = trained.filter((arm) => !rl.includes(arm));
  const two = (y) => fixed(y, 2), share = (y) => `${percent(y)} %`;
  const charts = [curvePanel(supervised, "loss", "Distillation: loss", "Cross-entropy on the response, nats a token", two, {}),
    curvePanel(rl, "rewards/accuracy/mean", "RL: accuracy while training", "Share of right samples, training temperature", share, { beginAtZero: true }, shareTick),
    curvePanel(rl, "reward", "RL: mean reward", "Right 1, right form 0.1, else 0 unless the recipe says otherwise", two, {}),
    curvePanel(rl, "completions/mean_length", "RL: completion length", "Mean tokens a sample", (y) => fixed(y, 0), { beginAtZero: true }),
    curvePanel(rl, "entropy", "RL: entropy", "Nats a token", two, { beginAtZero: true }),
    curvePanel(rl, "frac_reward_zero_std", "RL: groups without a signal", "Share of groups whose samples all earn the same", share, { beginAtZero: true }, shareTick)].filter(Boolean);
  if (charts.length > 0) addSection("curves", "Learning curves", "Curves", lead("Thin: each logged step; thick: moving average, where there are enough steps."), panels(charts));
}

// Arms that start from another trained arm also owe that arm's cost.
const STARTS_FROM = { "distilled-rl": DISTILLED };
const trainingOf = (name) => armsByName.get(name)?.training;
function wholeCost(name, key) {
  const own = trainingOf(name)?.[key], before = armsByName.get(name)?.starts_from ?? STARTS_FROM[name];
  return isNumber(own) ? own + (before && before !== "base" ? trainingOf(before)?.[key] ?? 0 : 0) : undefined;
}
const trainedArms = () => armNames.filter((name) => !isBanned(name) && isNumber(trainingOf(name)?.total_flops));

function costPanel(title, xTitle, cost, xText) {
  const split = mainSplit(), base = scoreOf("base", split);
  const shown = trainedArms().map((arm) => ({ arm, x: cost(arm), score: scoreOf(arm, split) })).filter((one) => one.x > 0 && one.score);
  if (shown.length === 0) return null;
  const build = () => ({ type: "scatter",
    data: { datasets: shown.map((one) => ({ data: [{ x: one.x, y: one.score.avg }], backgroundColor: armColour(one.arm), borderColor: armColour(one.arm), pointRadius: 6, pointHoverRadius: 7,
      whiskerAxis: "y", whiskers: [[{ interval: one.score.problems_interval, width: 1.5, cap: 3, colour: armColour(one.arm) }]] })) },
    options: { clip: false,
      scales: { x: valueAxis(xTitle, xText, { type: "logarithmic", min: decade(Math.min(...shown.map((one) => one.x)), -1), max: decade(Math.max(...shown.map((one) => one.x)), 1),
        afterBuildTicks: (axis) => { axis.ticks = logTicks(axis.min, axis.max); }, ticks: { callback: (x) => xText(x), maxRotation: 0, autoSkip: true, padding: 10 } }),
      y: valueAxis("", shareTick, { beginAtZero: true, suggestedMax: Math.max(...shown.map((one) => one.score.problems_interval?.[1] ?? one.score.avg)) }) },
      plugins: { level: base ? { value: base.avg, text: "base" } : {},
        tooltip: { callbacks: { label: ({ datasetIndex: i }) => [armLabel(shown[i].arm), `${percent(shown[i].score.avg)} % ${range(shown[i].score.problems_interval, percent)}`, `${scientific(shown[i].x)} ${xTitle}`] } } } } });
  return figure({ title, note: `avg@${shown[0].score.n_samples} on ${split} against ${xTitle}, log scale`, height: 260, build,
    table: () => simpleTable(title, ["Arm", xTitle, "avg, %", "problems 95 %"], shown.map((one) => [armTag(one.arm), scientific(one.x), percent(one.score.avg), range(one.score.problems_interval, percent)])),
    summary: `${title}. ${shown.map((one) => `${armLabel(one.arm)}: ${scientific(one.x)} ${xTitle}, ${percent(one.score.avg)} %`).join("; ")}` });
}

// The half decade beyond a value, so that no point sits on the frame.
const decade = (value, side) => 10 ** (Math[side < 0 ? "floor" : "ceil"](2 * Math.log10(value) + 0.2 * side) / 2);
const powerText = (x) => scientific(x, 0).replace(/^1\s×\s/, "");

function pretrainingText() {
  const pretraining = report.pretraining;
  const flops = pretraining?.flops ?? pretraining?.train_flops;
  if (!isNumber(flops)) return "What the base’s own pre-training cost is not recorded beside its weights; it is the same for every arm.";
  const tokens = pretraining.tokens ?? pretraining.trained_tokens, zero = trainingOf(ZERO_RL)?.total_flops;
  return `Pre-training of the base, shared by every arm and counted in none: ${scientific(flops)} FLOPs` + (isNumber(tokens) ? ` over ${compact(tokens)} tokens` : "") +
    (zero > 0 ? `, ${significant(flops / zero)} times the compute of zero-RL.` : ".");
}

function computeShares() {
  const arms = trainedArms();
  if (arms.length === 0) return null;
  const parts = [["Start (its own training)", (arm) => wholeCost(arm, "total_flops") - trainingOf(arm).total_flops, "var(--share-start)"],
    ["Training passes", (arm) => trainingOf(arm).train_flops, "var(--share-train)"], ["Sampling for RL", (arm) => trainingOf(arm).rollout_flops, "var(--share-rollout)"]];
  const build = () => ({ type: "bar",
    data: { labels: arms.map((arm) => armLabel(arm).split(/ (?=\()/)), datasets: parts.map(([label, get, fill]) => ({ label, data: arms.map(get), backgroundColor: colour(fill), maxBarThickness: 18 })) },
    options: { indexAxis: "y", layout: { padding: { right: 78 } },
      scales: { x: valueAxis("FLOPs", (x) => scientific(x, 1), { stacked: true, ticks: { maxTicksLimit: 4, maxRotation: 0, callback: (x) => scientific(x, 1).replace(/\.0(?=\s×)/, "") } }),
        y: { stacked: true, grid: { display: false }, border: { display: false }, ticks: { autoSkip: false, color: colour("var(--ink)") } } },
      plugins: { values: { texts: arms.map((arm) => scientific(wholeCost(arm, "total_flops"))) }, legend: { display: true, position: "bottom", labels: { boxWidth: 12, boxHeight: 12 } },
        tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${scientific(item.parsed.x)} FLOPs` } } } } });
  return figure({ title: "Where the compute went", note: "Pre-training and the teacher not included", height: 260, build,
    table: () => simpleTable("FLOPs by part", ["Arm", ...parts.map(([label]) => label)], arms.map((arm) => [armTag(arm), ...parts.map(([, get]) => scientific(get(arm)))])),
    summary: `Compute of each arm: ${arms.map((arm) => `${armLabel(arm)} ${scientific(wholeCost(arm, "total_flops"))} FLOPs`).join("; ")}` });
}

function addCost() {
  const tokens = (arm) => (wholeCost(arm, "trained_tokens") ?? 0) + (wholeCost(arm, "generated_tokens") ?? 0);
  const charts = [costPanel("Accuracy against compute", "FLOPs", (arm) => wholeCost(arm, "total_flops"), powerText),
    costPanel("Accuracy against data", "distinct problems", (arm) => wholeCost(arm, "distinct_problems"), compact),
    costPanel("Accuracy against tokens", "tokens trained and generated", tokens, compact), computeShares()].filter(Boolean);
  if (charts.length === 0) return;
  addSection("cost", "Cost against accuracy", "Cost", lead("Up and to the left is better. The dashed line is the base, which costs nothing more. RL after distillation is charged with both; its problems are added up."),
    legend(trainedArms()), el("div", { class: "panels wide" }, charts), paragraph(pretrainingText()), accountTable());
}

const TIME_OF = (name) => report.times?.[`train-${name}`] ?? report.times?.[name];

function accountTable() {
  const columns = [["steps", "Steps", fixed], ["examples", "Examples", fixed], ["distinct_problems", "Distinct problems", fixed], ["generated_tokens", "Tokens generated", compact],
    ["trained_tokens", "Tokens trained on", compact], ["supervised_tokens", "of these in the loss", compact], ["train_flops", "Training FLOPs", scientific],
    ["rollout_flops", "Sampling FLOPs", scientific], ["total_flops", "Total FLOPs", scientific]];
  const head = el("tr", {}, columnHead("Arm"), columns.map(([, title]) => columnHead(title)), columnHead("Wall time"));
  const row = (title, account, time) => el("tr", {}, rowHead(title), columns.map(([key, , text]) => number(isNumber(account?.[key]) ? text(account[key]) : NONE)), number(duration(time)));
  const pretraining = report.pretraining ? { ...report.pretraining } : null;
  if (pretraining) {
    pretraining.trained_tokens ??= pretraining.tokens;
    if (pretraining.distinct_problems === 0) delete pretraining.distinct_problems; // it reads text, not problems
    pretraining.total_flops ??= pretraining.flops ?? pretraining.train_flops;
  }
  const bodies = [el("tbody", {}, trainedArms().map((name) => row(armTag(name), trainingOf(name), TIME_OF(name)))),
    pretraining && el("tbody", {}, el("tr", { class: "group" }, el("th", { colspan: columns.length + 2, scope: "rowgroup" }, "Shown apart")), row("Pre-training of the base", pretraining))];
  const teachers = list("teachers");
  return [tableBox("What each arm was given and spent in its own training; Distilled + RL starts from Distilled", head, bodies),
    teachers.length === 0 ? null : tableBox("The teachers’ share: traces are written by a program, at no model compute, and none is screened",
      el("tr", {}, ["Teacher", "Traces", "Right", "Characters", "Characters a trace"].map((title) => columnHead(title))),
      el("tbody", {}, teachers.map((one) => el("tr", {}, rowHead(capital(one.teacher)), number(fixed(one.traces)), number(`${percent(one.right / one.traces)} %`, `${fixed(one.right)} of ${fixed(one.traces)}`),
        number(compact(one.characters)), number(fixed(one.characters / one.traces, 0))))))];
}

const PART_TITLES = { study: "Study", distill: "Distillation, flexible teacher", distill_rigid: "Distillation, rigid teacher", rl: "Zero-RL", rl_after: "RL after distillation" };

function addSettings() {
  const parts = Object.entries(report.settings ?? {}).map(([name, settings]) => el("details", { class: "settings" }, el("summary", {}, PART_TITLES[name] ?? words(name)),
    el("dl", {}, Object.entries(settings ?? {}).map(([key, value]) => el("div", {}, el("dt", {}, key), el("dd", {}, value === null ? NONE : String(value)))))));
  const arms = armNames.length === 0 ? null : el("dl", { class: "arms" }, armNames.map((name) => el("div", {}, el("dt", {}, armTag(name)), el("dd", {}, armsByName.get(name).description ?? ""))));
  const times = Object.entries(report.times ?? {});
  const total = report.total_seconds ?? report.times?.total;
  if (times.length > 0) parts.push(el("details", { class: "settings" }, el("summary", {}, `Times${isNumber(total) ? `, ${duration(total)} in all` : ""}`),
    el("dl", {}, times.map(([stage, seconds]) => el("div", {}, el("dt", {}, stage), el("dd", {}, duration(seconds)))))));
  addSection("settings", "Arms and settings", "Settings", arms, parts);
}

function addGlossary() {
  addSection("measures", "Measures", "Measures", el("dl", { class: "arms" }, Object.entries(MEASURES).map(([name, text]) => el("div", {}, el("dt", {}, name), el("dd", {}, text)))));
}
