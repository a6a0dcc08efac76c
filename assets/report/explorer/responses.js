// What is known of every response: columns of numbers, names, and the texts, loaded when they are asked for.
const NO_VERDICT = -1;
const VERDICTS = { 1: ["right", "✓"], 0: ["wrong", "✗"], 2: ["unparsed", "?"], 3: ["undecided", "…"], [NO_VERDICT]: ["not graded", "–"] };
const store = { index: null, columns: new Map(), rows: 0 };

async function loadResponses() {
  store.index = await loadJson("index");
  store.rows = store.index.rows;
  const bytes = await loadBlock("columns");
  const little = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
  if (!little) for (let i = 0; i < bytes.length; i += 4) bytes.subarray(i, i + 4).reverse();
  store.index.columns.forEach((name, i) => store.columns.set(name, new Int32Array(bytes.buffer, bytes.byteOffset + 4 * i * store.rows, store.rows)));
  byProblem();
}

const column = (name) => store.columns.get(name);
const groupOf = (row) => store.index.groups[column("group")[row]];
const modelOf = (row) => store.index.models[groupOf(row)[0]];
const benchmarkOf = (row) => store.index.benchmarks[groupOf(row)[1]];
const problemOf = (row) => column("problem")[row];
const problemName = (row) => store.index.problems[problemOf(row)][1];
const modelColour = (name) => colourOf(name, store.index.models);
const kindsOf = (type) => store.index.kinds.filter((kind) => kind.type === type);
const lengthUnit = () => (column("tokens").every((count) => count >= 0) ? "tokens" : "words");

// Rows of each problem, in order of reading.
function byProblem() {
  const problem = column("problem"), count = store.index.problems.length, starts = new Int32Array(count + 1), rows = new Int32Array(store.rows);
  for (let r = 0; r < store.rows; r++) starts[problem[r] + 1]++;
  for (let p = 0; p < count; p++) starts[p + 1] += starts[p];
  const next = starts.slice();
  for (let r = 0; r < store.rows; r++) rows[next[problem[r]]++] = r;
  store.problemRows = (p) => rows.subarray(starts[p], starts[p + 1]);
}

// The rows of a problem by a model, by sample.
function rowsOfModel(problem, model) {
  const sample = column("sample");
  return [...store.problemRows(problem)].filter((row) => modelOf(row) === model).sort((a, b) => sample[a] - sample[b]);
}

// A response by its name; undefined where there is none.
function findRow({ model, benchmark, problem, sample }) {
  for (let p = 0; p < store.index.problems.length; p++) {
    const [where, id] = store.index.problems[p];
    if (id !== problem || (benchmark !== undefined && store.index.benchmarks[where] !== benchmark)) continue;
    const row = rowsOfModel(p, model).find((one) => column("sample")[one] === Number(sample));
    if (row !== undefined) return row;
  }
  return undefined;
}

const textBlock = remembered(48, (block) => loadJson(`texts/${block}`));

// The last of the ascending numbers that is not above the value.
function lastNotAbove(numbers, value) {
  let low = 0, high = numbers.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (numbers[middle] <= value) low = middle; else high = middle - 1;
  }
  return low;
}

const blockOf = (row) => lastNotAbove(store.index.texts, row);

// {text, marks: [{kind, begin, end}]}
async function responseText(row) {
  const block = blockOf(row), [text, numbers] = (await textBlock(block))[row - store.index.texts[block]];
  const marks = [];
  for (let i = 0, at = 0; i < numbers.length; i += 3) {
    at += numbers[i + 1];
    marks.push({ kind: numbers[i], begin: at, end: at + numbers[i + 2] });
  }
  return { text, marks };
}

let problems;
const problemText = async (problem) => (await (problems ??= loadJson("problems")))[problem];
