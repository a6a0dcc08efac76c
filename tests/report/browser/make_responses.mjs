// Writes made-up responses for the checks of the explorer, the same ones for the same numbers:
//   node make_responses.mjs FOLDER [RESPONSES] [WORDS]
// FOLDER/responses.jsonl: two benchmarks, four models, several samples a problem; FOLDER/judgements.jsonl: of a part of them.
// Some texts try to break out of the page.
import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";

const [folder, count = "2000", length = "400"] = process.argv.slice(2);
if (!folder) throw new Error("usage: node make_responses.mjs FOLDER [RESPONSES] [WORDS]");
mkdirSync(folder, { recursive: true });

let state = 12345; // mulberry32
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const pick = (list) => list[Math.floor(random() * list.length)];

const PLAIN = "we have the sum of all terms and it equals this number which gives an equation for each value so that both sides agree with what is asked consider triangle angle circle radius point line integer prime divides remainder modulo factor product square root function graph area length side polynomial coefficient degree solution set case first second third next then therefore compute simplify substitute expand collect compare left right hand".split(" ");
const ALOUD = ["Wait,", "Hmm,", "Let me check", "maybe", "But", "Alternatively,", "I think", "Actually,", "so", "because", "however", "instead"];
const HOSTILE = ["</script><script>document.title='broken out'</script>", "<img src=x onerror=\"document.title='broken out'\">", "<!-- ", "\u2028\u2029", "\\\");retortBlock(\"index\",\"", "<style>*{display:none}</style>", "javascript:document.title='broken out'", "😀 é 中文 ×"];
const MODELS = [["base", 0.2, 0.02], ["distilled", 0.62, 0.12], ["zero-rl", 0.5, 0.04], ["=HYPERLINK(\"x\")<b>odd</b>", 0.4, 0.08]];
const PROBLEMS = [["aime24", 30], ["math500", 120]];
const total = Number(count), words = Number(length);

const made = [];
for (const [i] of MODELS.entries()) for (const [benchmark, problems] of PROBLEMS) for (let p = 0; p < problems; p++) made.push([i, benchmark, p]);
const samples = Math.ceil(total / made.length);

function text(aloud, size, answer) {
  const parts = [];
  for (let w = 0; w < size; w++) {
    const r = random();
    if (r < aloud) parts.push(pick(ALOUD));
    else if (r < aloud + 0.08) parts.push(`$${Math.floor(random() * 90)} + ${Math.floor(random() * 90)} = ${Math.floor(random() * 180)}$`);
    else if (r < aloud + 0.1) parts.push(".\n\n");
    else if (r < aloud + 0.1005) parts.push(pick(HOSTILE));
    else if (r < aloud + 0.104) parts.push(`rare${Math.floor(random() * 50000).toString(36)}`);
    else parts.push(pick(PLAIN));
  }
  return `${parts.join(" ")}\nThe answer is \\boxed{${answer}}.`;
}

const responses = createWriteStream(join(folder, "responses.jsonl")), judgements = createWriteStream(join(folder, "judgements.jsonl"));
const write = async (stream, value) => { if (!stream.write(`${JSON.stringify(value)}\n`)) await new Promise((resolve) => stream.once("drain", resolve)); };
let n = 0;
for (const [i, benchmark, p] of made) {
  const [model, skill, aloud] = MODELS[i];
  for (let sample = 0; sample < samples && n < total; sample++, n++) {
    const right = random() < skill, cut = random() < 0.07, size = Math.max(5, Math.floor(words * (0.4 + 1.2 * random()) * (1 + 4 * aloud)));
    const body = text(aloud, size, right ? p + 7 : p + 1000 + sample), id = `${benchmark}-${p}`;
    await write(responses, { model, benchmark, problem_id: id, sample, problem: `Problem ${p} of ${benchmark}: find the number.`, answer: String(p + 7), text: cut ? body.slice(0, -30) : body,
      verdict: cut ? "unparsed" : right ? "right" : "wrong", finish_reason: cut ? "length" : "stop", tokens: Math.round(size * 1.4) });
    if (sample > 3) continue;
    const bytes = Buffer.from(body), spans = (word) => { const at = bytes.indexOf(word); return at < 0 || at + word.length > bytes.length - 30 ? [] : [{ start: at, end: at + word.length, quote: word }]; };
    const status = random() < 0.03 ? "unparsed" : "ok";
    await write(judgements, { model, problem_id: id, sample, judge: "judge-a", prompt_version: "1", vote: 0, status, behaviors: status === "ok" ? { verification: spans("Let me check"), backtracking: spans("Alternatively,") } : {} });
  }
}
responses.end();
judgements.end();
