// Walks every control of a report on runs in Debian's Chromium, as a reader with a mouse and as one with a keyboard, and
// lets axe-core look at every state; prints how long the first paint and the searches took.
//   node walk.mjs REPORT [SCREENSHOTS]
// Needs playwright-core and axe-core (npm) where Node finds them, or in the folder that NODE_MODULES names. The report is
// one of make_responses.mjs. Exit status 1 where something is not as it should be; times are printed, never judged.
import { createRequire } from "node:module";
import { readFileSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(process.env.NODE_MODULES ? pathToFileURL(join(resolve(process.env.NODE_MODULES), "x.js")) : import.meta.url);
const { chromium } = require("playwright-core");
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [report, shots] = process.argv.slice(2);
if (!report) throw new Error("usage: node walk.mjs REPORT [SCREENSHOTS]");
if (shots) mkdirSync(shots, { recursive: true });
const address = (page) => `${pathToFileURL(resolve(report))}/${page}`;
const expected = JSON.parse(readFileSync(join(report, "retort-report.json"), "utf8")).responses;

let failures = 0, checks = 0;
const PATIENCE = 60000; // a slow machine is no failure, a stuck page is
function check(holds, what) {
  checks++;
  if (holds) return;
  failures++;
  console.log(`not ok  ${what}`);
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND"] });
async function open(page, { width = 1400, height = 900, scheme = "light", media } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, reducedMotion: "reduce", acceptDownloads: true });
  context.setDefaultTimeout(PATIENCE);
  const tab = await context.newPage();
  tab.on("console", (message) => check(false, `${page}: the console says ${message.text()}`));
  tab.on("pageerror", (error) => check(false, `${page}: ${error.message}`));
  tab.on("request", (request) => check(request.url().startsWith("file:") || request.url().startsWith("data:") || request.url().startsWith("blob:"), `${page}: asks for ${request.url()}`));
  if (media) await tab.emulateMedia({ media });
  const started = performance.now();
  await tab.goto(address(page));
  await tab.waitForFunction(() => document.documentElement.dataset.ready === "true", null, { timeout: 60000 });
  return { tab, loaded: performance.now() - started, close: () => context.close() };
}

// axe-core in a world of its own, which the page's policy does not hold for.
async function accessible(tab, state) {
  const session = await tab.context().newCDPSession(tab);
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId } = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id, worldName: "axe" });
  await session.send("Runtime.evaluate", { expression: axeSource, contextId: executionContextId });
  const { result, exceptionDetails } = await session.send("Runtime.evaluate", { contextId: executionContextId, awaitPromise: true, returnByValue: true,
    expression: "axe.run(document, { resultTypes: ['violations'], preload: false }).then((r) => r.violations.map((v) => ({ id: v.id, impact: v.impact, nodes: v.nodes.map((n) => n.target.join(' ') + ' ' + n.failureSummary.split('\\n').slice(0, 2).join(' ')).slice(0, 3) })))" });
  if (exceptionDetails) throw new Error(exceptionDetails.text);
  for (const violation of result.value) {
    const serious = ["serious", "critical"].includes(violation.impact);
    if (serious) check(false, `${state}: axe-core says ${violation.id}: ${violation.nodes.join(" | ")}`);
    else console.log(`note    ${state}: axe-core (${violation.impact}) ${violation.id}: ${violation.nodes[0]}`);
  }
  check(true, state);
  await session.detach();
}
const shot = async (tab, name, options = {}) => { if (shots) await tab.screenshot({ path: join(shots, `${name}.png`), ...options }); };
const foundText = (tab) => tab.locator("#found").innerText();
const foundCount = async (tab) => Number((await foundText(tab)).split(" ")[0].replaceAll(",", ""));

// Types a query and waits until it is answered; how long the page itself took.
async function searchFor(tab, query) {
  const before = await tab.evaluate(() => document.documentElement.dataset.complete);
  await tab.fill("#search", query);
  await tab.waitForFunction((old) => document.documentElement.dataset.complete !== old, before, { timeout: 120000 });
  return Number(await tab.evaluate(() => document.documentElement.dataset.searched));
}

// ---- the explorer

async function walkExplorer() {
  const { tab, loaded, close } = await open("explorer.html");
  const paint = await tab.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
  console.log(`first paint ${paint?.toFixed(0)} ms, list and first response ${loaded.toFixed(0)} ms, ${expected} responses`);
  check((await foundCount(tab)) === expected, "all responses are listed");
  check((await tab.title()).startsWith("Responses:"), "the title is the page's own");
  await accessible(tab, "explorer");
  await shot(tab, "explorer-light");

  for (const query of ["wait", "alternatively", "triangle", "con", "\"wait\"", "wait alternatively -hmm", "rare1", "42", "nowhereatall"]) {
    const took = await searchFor(tab, query);
    console.log(`search ${query.padEnd(26)} ${took.toFixed(1).padStart(8)} ms  ${await foundText(tab)}`);
    check((await foundCount(tab)) <= expected, `search ${query}`);
  }
  check((await foundCount(tab)) === 0, "what is nowhere is not found");
  const waits = (await searchFor(tab, "wait"), await foundCount(tab)), not = (await searchFor(tab, "-wait"), await foundCount(tab));
  check(waits > 0 && not > 0, "some have a word and some have not");
  await searchFor(tab, "alternatively");
  check((await tab.locator(".row .snippet b").count()) >= 0 && (await tab.locator("mark.hit").count()) > 0, "hits are marked in the text");
  await shot(tab, "explorer-search");
  await tab.keyboard.press("Escape");
  await tab.keyboard.press("n");
  check((await tab.locator("mark.current").count()) === 1, "n goes to a hit");
  await tab.keyboard.press("p");
  check((await tab.locator("mark.current").count()) === 1, "p goes to a hit");
  await searchFor(tab, "");
  check((await foundCount(tab)) === expected, "no query: all again");

  // Filters, each by itself.
  const narrowed = async (what, act) => {
    const before = await tab.evaluate(() => document.documentElement.dataset.complete);
    await act();
    await tab.waitForFunction((old) => document.documentElement.dataset.complete !== old, before);
    const count = await foundCount(tab);
    check(count > 0 && count < expected, `${what}: ${count} of ${expected}`);
    const again = await tab.evaluate(() => document.documentElement.dataset.complete);
    await tab.click("#reset");
    await tab.waitForFunction((old) => document.documentElement.dataset.complete !== old, again);
    check((await foundCount(tab)) === expected, `${what}: all again`);
  };
  for (const legend of ["Models", "Benchmarks", "Verdict"]) {
    const boxes = tab.locator(`#filters fieldset:has(legend:text-is("${legend}")) input`);
    for (let i = 0; i < (await boxes.count()); i++) await narrowed(`${legend} ${i}`, () => boxes.nth(i).uncheck());
  }
  await narrowed("ended", () => tab.getByLabel("Ended").selectOption("1"));
  const lengths = (await tab.locator(".row .size").allInnerTexts()).map((text) => Number(text.replace(/^cut, /, "").split(" ")[0].replaceAll(",", ""))).sort((a, b) => a - b);
  const middle = String(lengths[Math.floor(lengths.length / 2)]);
  await narrowed("length from", () => tab.getByLabel("from").fill(middle));
  await narrowed("length to", () => tab.getByLabel("to", { exact: true }).fill(middle));
  await narrowed("problem", () => tab.getByLabel("Problem", { exact: true }).fill("aime24-1"));
  await narrowed("behaviour", () => tab.getByLabel("shows").selectOption({ index: 1 }));
  await narrowed("no behaviour", async () => { await tab.getByLabel("at least", { exact: true }).fill("0"); await tab.getByLabel("shows").selectOption({ index: 1 }); });
  await narrowed("category", async () => { await tab.getByLabel("per 1,000 words, at least").fill("30"); await tab.getByLabel("of", { exact: true }).selectOption({ index: 1 }); });
  for (const order of ["problem", "shortest", "longest", "order"]) await tab.getByLabel("Order").selectOption(order);
  await tab.waitForTimeout(300);
  check((await foundCount(tab)) === expected, "orders leave nothing out");

  // The keyboard alone.
  await tab.locator("#list").focus();
  await tab.keyboard.press("Home");
  const first = await tab.evaluate(() => location.hash);
  for (const key of ["j", "j", "k", "]", "[", "g", "G", "End", "PageUp", "PageDown", "ArrowUp", "ArrowDown"]) {
    await tab.keyboard.press(key);
    await tab.waitForTimeout(60);
    check((await tab.locator("#list .row[aria-selected=true]").count()) === 1, `${key}: one response is chosen, and in sight`);
  }
  check((await tab.evaluate(() => location.hash)) !== first, "the address names the response");
  await tab.keyboard.press("Home");
  await tab.keyboard.press("b");
  await tab.waitForSelector(".responses.two");
  check((await tab.locator(".response").count()) === 2, "b puts another model beside");
  await accessible(tab, "side by side");
  await shot(tab, "explorer-two");
  const link = await tab.evaluate(() => location.href);
  await tab.keyboard.press("m");
  await tab.waitForTimeout(150);
  check((await tab.locator(".response mark").count()) === 0, "m hides the marks");
  await tab.keyboard.press("m");
  await tab.keyboard.press("f");
  check(!(await tab.locator("#filters").isVisible()), "f hides the filters");
  await tab.keyboard.press("f");
  await tab.keyboard.press("?");
  check(await tab.locator("dialog[open]").isVisible(), "? opens the help");
  await accessible(tab, "help");
  await shot(tab, "explorer-help");
  await tab.uncheck("#single-keys");
  await tab.keyboard.press("Escape");
  check((await tab.locator("dialog[open]").count()) === 0, "Escape closes the help");
  await tab.keyboard.press("f");
  check(await tab.locator("#filters").isVisible(), "single keys can be switched off");
  await tab.click("#help-button");
  await tab.check("#single-keys");
  await tab.locator("dialog button").click();
  await tab.keyboard.press("/");
  check(await tab.evaluate(() => document.activeElement.id === "search"), "/ goes to the search");
  await tab.keyboard.press("Escape");
  for (const name of ["Next →", "← Previous"]) {
    const before = await tab.locator("#reader").getAttribute("data-row");
    await tab.getByRole("button", { name }).click();
    await tab.waitForFunction((old) => document.getElementById("reader").dataset.row !== old, before);
    check(true, name);
  }
  const samples = tab.getByLabel("Sample").first();
  if ((await samples.count()) > 0 && (await samples.evaluate((one) => one.tagName)) === "SELECT") {
    const before = await tab.locator("#reader").getAttribute("data-row");
    await samples.selectOption({ index: 1 });
    await tab.waitForFunction((old) => document.getElementById("reader").dataset.row !== old, before);
  }
  for (const theme of ["light", "dark", "auto"]) {
    await tab.click("#theme");
    check((await tab.locator("#theme").getAttribute("aria-label")).includes(theme), `colours: ${theme}`);
  }
  await tab.locator("#list").evaluate((list) => { list.scrollTop = list.scrollHeight; });
  await tab.waitForFunction((last) => [...document.querySelectorAll(".row")].some((row) => row.getAttribute("aria-posinset") === String(last)), expected);
  check((await tab.locator(".row").count()) < 60, "only the rows in sight are there");
  check((await tab.title()).startsWith("Responses:"), "no text has broken out");
  await close();

  const again = await open(`explorer.html${new URL(link).hash}`);
  check((await again.tab.locator(".response").count()) === 2, "the link leads to both responses");
  await again.close();
  const phrase = await open("explorer.html"), started = performance.now();
  await phrase.tab.fill("#search", "\"let me check\"");
  await phrase.tab.waitForFunction(() => document.querySelector(".row .snippet b")?.textContent.toLowerCase() === "let me check");
  console.log(`first response with a phrase after ${(performance.now() - started).toFixed(0)} ms, typing included: ${await foundText(phrase.tab)}`);
  await phrase.close();
}

async function walkColoursAndSizes() {
  for (const [name, options] of [["dark", { scheme: "dark" }], ["phone", { width: 390, height: 844 }], ["tablet", { width: 1000, height: 760 }]]) {
    const { tab, close } = await open("explorer.html", options);
    await accessible(tab, `explorer, ${name}`);
    await shot(tab, `explorer-${name}`);
    if (name === "phone") {
      await tab.locator(".row").first().click();
      await tab.waitForSelector(".response");
      check(!(await tab.locator("#list").isVisible()), "phone: the response takes the place of the list");
      await accessible(tab, "explorer, phone, response");
      await shot(tab, "explorer-phone-response");
      await tab.getByRole("button", { name: "☰ List" }).click();
      check(await tab.locator("#list").isVisible(), "phone: back to the list");
    }
    await close();
    const figures = await open("index.html", options);
    await accessible(figures.tab, `figures, ${name}`);
    await shot(figures.tab, `figures-${name}`);
    await figures.close();
  }
  const printed = await open("explorer.html", { media: "print" });
  await shot(printed.tab, "explorer-print", { fullPage: true });
  check(!(await printed.tab.locator(".bar").isVisible()), "paper has the response alone");
  await printed.close();
}

// ---- the figures

async function walkFigures() {
  const { tab, close } = await open("index.html");
  check((await tab.title()) !== "broken out", "no text has broken out");
  await tab.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
  await accessible(tab, "figures, all open");
  await shot(tab, "figures-light");
  await shot(tab, "figures-all", { fullPage: true });
  const saves = tab.locator("button.save"), count = await saves.count();
  check(count > 10, `${count} buttons save figures`);
  for (let i = 0; i < count; i++) {
    const press = () => Promise.all([tab.waitForEvent("download", { timeout: 5000 }), saves.nth(i).click()]);
    const [download] = await press().catch(press); // Chromium drops every eleventh of many downloads in a row
    const text = readFileSync(await download.path(), "utf8"), name = download.suggestedFilename();
    check(text.length > 20 && /^[a-z_-]+\.(csv|json)$/.test(name), `saved ${name}`);
    // A chart's own button, with everything chosen, saves what lies in the folder.
    if (name.endsWith(".json") && (await saves.nth(i).evaluate((one) => one.closest(".head") !== null)))
      check(JSON.stringify(JSON.parse(text)) === JSON.stringify(JSON.parse(readFileSync(join(report, "figures", name), "utf8"))), `${name} is the same as in the folder`);
  }
  const before = await tab.locator("canvas").count(), boxes = tab.locator("#choose input");
  for (let i = 0; i < (await boxes.count()); i++) await boxes.nth(i).uncheck();
  check(await tab.getByText("Choose at least one model").isVisible(), "nothing chosen: said so");
  for (let i = 0; i < (await boxes.count()); i++) await boxes.nth(i).check();
  check((await tab.locator("canvas").count()) === before, "all chosen: all charts again");
  for (const select of await tab.locator("#page select").all()) await select.selectOption({ index: (await select.locator("option").count()) - 1 });
  for (const link of await tab.locator("#contents a").all()) await link.click();
  for (let i = 0; i < 3; i++) await tab.click("#theme");
  for (const term of (await tab.locator(".term").all()).slice(0, 20)) {
    await term.focus();
    check(await tab.locator("#tip").isVisible(), "a term explains itself");
  }
  await tab.getByRole("link", { name: "Explore the responses" }).click();
  await tab.waitForFunction(() => document.documentElement.dataset.ready === "true");
  check(tab.url().includes("explorer.html"), "leads to the explorer");
  await close();
}

await walkFigures();
await walkExplorer();
await walkColoursAndSizes();
await browser.close();
console.log(failures === 0 ? `ok      ${checks} checks` : `${failures} of ${checks} checks failed`);
process.exit(failures === 0 ? 0 : 1);
