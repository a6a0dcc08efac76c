// A sweep: curves over lists of settings, seeds pooled, and every pair of students.
const SWEEP_ARMS = { flexible: "distilled", rigid: "distilled-rigid", plain: "distilled-plain", sprinkled: "distilled-sprinkled", base: "base" };
const SWEEP_AXES = { examples: "examples", max_length: "length cap, tokens", exposure: "exploratory share of the base's corpus" };
const sweepBase = () => report.sweep?.base?.[0]?.score;

// What is held while the axis runs, of the lists that have more than one entry.
function sweepHeld(curve) {
  const lists = report.sweep.axes, held = [];
  if (curve.axis !== "examples" && lists.examples.length > 1) held.push(`${fixed(curve.examples)} examples`);
  if (curve.axis !== "max_length" && lists.max_lengths.length > 1) held.push(curve.max_length > 0 ? `cut at ${fixed(curve.max_length)} tokens` : "uncut");
  if (curve.axis !== "exposure" && lists.exposures.length > 1) held.push(`exposure ${significant(curve.exposure)}`);
  return held.join(", ");
}

function sweepSentence() {
  const { axes, cells } = report.sweep;
  const best = cells.reduce((top, cell) => (cell.mean > top.mean ? cell : top));
  return `${plural(cells.length, "combination")}, each trained for ${plural(axes.seeds.length, "seed")}. Best on test: ${best.teacher} traces, ` +
    `${fixed(best.examples)} of them, ${percent(best.mean)} % avg@${best.score.n_samples}; the base has ${percent(sweepBase()?.avg)} %.`;
}

// The curve, and thin the ends of its problems interval.
function sweepLines(curve, value, interval) {
  const arm = SWEEP_ARMS[curve.teacher], at = (y) => curve.points.filter((one) => isNumber(one.x) && isNumber(y(one))).map((one) => ({ x: one.x, y: y(one) }));
  return [{ arm, points: at(value) }, { arm, points: at((one) => interval(one)?.[0]), thin: true }, { arm, points: at((one) => interval(one)?.[1]), thin: true }];
}

function sweepPanel(axis, held, curves, title, value, interval) {
  const ticks = [...new Set(curves.flatMap((curve) => curve.points.map((one) => one.x)).filter(isNumber))];
  const xText = (x) => (axis === "exposure" ? significant(x) : fixed(x));
  const chart = linePanel({ title, note: [`Thin: 95 % over problems, ${plural(report.sweep.axes.seeds.length, "seed")} pooled`, held].filter(Boolean).join("; "), height: 300, markers: true,
    series: curves.flatMap((curve) => sweepLines(curve, value, interval)), xTitle: SWEEP_AXES[axis], xText, yText: (y) => `${percent(y)} %`, yTick: shareTick, yOptions: { beginAtZero: true },
    xOptions: { type: axis === "exposure" ? "linear" : "logarithmic", afterBuildTicks: (scale) => { scale.ticks = ticks.map((x) => ({ value: x })); }, ticks: { callback: xText, autoSkip: false, maxRotation: 0 } } });
  return chart && el("div", {}, chart, legend(curves.map((curve) => SWEEP_ARMS[curve.teacher])));
}

function sweepCharts() {
  const groups = new Map();
  for (const curve of report.sweep.curves) {
    const key = `${curve.axis}\n${sweepHeld(curve)}`;
    groups.set(key, [...(groups.get(key) ?? []), curve]);
  }
  return [...groups].flatMap(([key, curves]) => {
    const [axis, held] = key.split("\n"), k = Object.keys(curves[0].points[0]?.pass_at ?? {}).at(-1);
    return [sweepPanel(axis, held, curves, `avg@${report.sweep.cells[0].score.n_samples} on test`, (one) => one.avg, (one) => one.problems_interval),
      k && sweepPanel(axis, held, curves, `pass@${k} on test`, (one) => one.pass_at?.[k], (one) => one.pass_at_interval?.[k])];
  }).filter(Boolean);
}

function sweepTable() {
  const { cells, base, axes } = report.sweep, k = Object.keys(cells[0].score.pass_at).at(-1);
  const row = (cell) => [armTag(SWEEP_ARMS[cell.teacher]), fixed(cell.examples), ...(axes.max_lengths.length > 1 ? [cell.max_length > 0 ? fixed(cell.max_length) : NONE] : []),
    ...(axes.exposures.length > 0 ? [significant(cell.exposure)] : []), percent(cell.score.avg), range(cell.score.problems_interval, percent), range(cell.seeds_interval, percent) || NONE,
    percent(cell.score.pass_at[k]), range(cell.score.pass_at_interval[k], percent), percent(cell.score.unparsed_rate), percent(cell.score.length_rate), fixed(cell.score.mean_length, 0)];
  return simpleTable("Every student, seeds pooled, in percent", ["Traces of", "Examples", ...(axes.max_lengths.length > 1 ? ["Length cap"] : []), ...(axes.exposures.length > 0 ? ["Exposure"] : []),
    `avg@${cells[0].score.n_samples}`, "problems 95 %", "seeds 95 %", `pass@${k}`, "problems 95 %", "No answer", "Cut", "Tokens"], [...base, ...cells].map(row));
}

function sweepPairs() {
  const place = (one) => `${one.teacher}${one.examples > 0 ? ` ${fixed(one.examples)}` : ""}${one.max_length > 0 ? `, cut at ${fixed(one.max_length)}` : ""}${isNumber(one.exposure) ? `, exposure ${significant(one.exposure)}` : ""}`;
  return el("details", { class: "figures" }, el("summary", {}, "Students compared problem by problem"),
    simpleTable("Differences in points, paired by seed and problem", ["Student minus student", "Measure", "Points", "95 %", "p", "Problems"],
      report.sweep.pairs.map((pair) => [`${place(pair.a)} − ${place(pair.b)}`, pair.measure, points(pair.difference), range(pair.interval, (x) => points(x)), pValue(pair.p), fixed(pair.problems)])));
}

function addSweep() {
  if (!report.sweep) return;
  addSection("sweep", "Curves over lists of settings", "Sweep",
    lead("One student for every combination and seed. The problems interval pools the seeds' problems; the seeds interval is Student's t over the seeds' means and covers training, too."),
    panels(...sweepCharts()), sweepTable(), sweepPairs());
}
