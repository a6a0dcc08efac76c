// Puts the page together: sections in reading order, theme, explanations, print.
const THEMES = ["auto", "light", "dark"];

function storedTheme() {
  try {
    const theme = localStorage.getItem("retort-theme");
    return THEMES.includes(theme) ? theme : "auto";
  } catch {
    return "auto"; // a page from a file may have no storage
  }
}

function setTheme(theme) {
  const button = document.getElementById("theme");
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
  button.textContent = { auto: "◐ Auto", light: "☀ Light", dark: "☾ Dark" }[theme];
  button.setAttribute("aria-label", `Colours: ${theme}. Change`);
  try {
    localStorage.setItem("retort-theme", theme);
  } catch { /* the choice then lasts as long as the page */ }
}

function watchTheme() {
  let theme = storedTheme();
  setTheme(theme);
  document.getElementById("theme").addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    setTheme(theme);
    drawAll();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  // Paper is light, and everything folded away is printed.
  let closed = [];
  addEventListener("beforeprint", () => {
    root.dataset.theme = "light";
    closed = [...document.querySelectorAll("details:not([open])")].filter((one) => !one.classList.contains("figures"));
    closed.forEach((one) => { one.open = true; });
    drawAll();
  });
  addEventListener("afterprint", () => {
    closed.forEach((one) => { one.open = false; });
    setTheme(theme);
    drawAll();
  });
}

// One tooltip for all explained terms.
function watchTerms() {
  const tip = document.getElementById("tip");
  const hide = () => { tip.hidden = true; };
  const show = (event) => {
    const target = event.target.closest?.("[data-measure]");
    if (!target) return hide();
    tip.textContent = MEASURES[target.dataset.measure] ?? "";
    tip.hidden = false;
    const place = target.getBoundingClientRect(), width = tip.offsetWidth, gap = 8;
    tip.style.left = `${Math.max(gap, Math.min(place.left + place.width / 2 - width / 2, root.clientWidth - width - gap))}px`;
    const above = place.top - tip.offsetHeight - gap;
    tip.style.top = `${above > gap ? above : place.bottom + gap}px`;
  };
  for (const event of ["pointerover", "focusin", "click"]) document.addEventListener(event, show);
  document.addEventListener("focusout", hide);
  document.addEventListener("scroll", hide, { capture: true, passive: true });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
}

// Marks the section being read in the contents.
function watchContents() {
  const links = new Map([...document.querySelectorAll("#contents a")].map((link) => [link.hash.slice(1), link]));
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      links.forEach((link) => link.removeAttribute("aria-current"));
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-20% 0px -70% 0px" });
  sections.forEach((section) => observer.observe(section));
}

document.title = report.title ?? "retort report";
for (const add of [addScores, addClaims, addTokens, addBans, addBehaviors, addLengths, addCurves, addCost, addPaired, addBrowser, addSettings, addGlossary, addHeadline]) {
  try {
    add();
  } catch (error) { // a report made by hand may lack parts: the rest of the page still stands
    console.error(error);
    document.getElementById("page").append(el("p", { class: "banner", role: "alert" }, `A part of this report could not be shown (${add.name.slice(3)}): ${error.message}`));
  }
}
document.getElementById("footer").append(`Made by retort ${report.retort ?? ""}. The same figures are in report.json beside this page.`);
watchTheme();
drawAll();
watchTerms();
watchContents();
root.dataset.ready = "true"; // for those who check the page from outside
