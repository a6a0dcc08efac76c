// Light and dark, print, and the explanations that show on hover, focus and touch.
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

function watchTheme(redraw = () => {}) {
  let theme = storedTheme();
  setTheme(theme);
  document.getElementById("theme").addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    setTheme(theme);
    redraw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw());
  // Paper is light, and everything folded away is printed.
  let closed = [];
  addEventListener("beforeprint", () => {
    root.dataset.theme = "light";
    closed = [...document.querySelectorAll("details:not([open])")].filter((one) => !one.classList.contains("figures"));
    closed.forEach((one) => { one.open = true; });
    redraw();
  });
  addEventListener("afterprint", () => {
    closed.forEach((one) => { one.open = false; });
    setTheme(theme);
    redraw();
  });
}

// One tooltip for all explained terms.
function watchTerms(measures) {
  const tip = document.getElementById("tip");
  let shown = null;
  const hide = () => { tip.hidden = true; shown = null; };
  const put = () => {
    const place = shown.getBoundingClientRect(), width = tip.offsetWidth, gap = 8;
    tip.style.left = `${Math.max(gap, Math.min(place.left + place.width / 2 - width / 2, root.clientWidth - width - gap))}px`;
    const above = place.top - tip.offsetHeight - gap;
    tip.style.top = `${above > gap ? above : place.bottom + gap}px`;
  };
  const show = (event) => {
    const target = event.target.closest?.("[data-measure]");
    if (!target) return hide();
    shown = target;
    tip.textContent = measures[target.dataset.measure] ?? "";
    tip.hidden = false;
    put();
  };
  for (const event of ["pointerover", "focusin", "click"]) document.addEventListener(event, show);
  document.addEventListener("focusout", hide);
  // What has the focus keeps its explanation while the page scrolls to it.
  document.addEventListener("scroll", () => { if (shown && shown === document.activeElement) put(); else hide(); }, { capture: true, passive: true });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
}
