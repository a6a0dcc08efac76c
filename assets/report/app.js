// Puts the page together: sections in reading order.
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
for (const add of [addScores, addSweep, addClaims, addTokens, addBans, addBehaviors, addLengths, addCurves, addCost, addPaired, addBrowser, addSettings, addGlossary, addHeadline]) {
  try {
    add();
  } catch (error) { // a report made by hand may lack parts: the rest of the page still stands
    console.error(error);
    document.getElementById("page").append(el("p", { class: "banner", role: "alert" }, `A part of this report could not be shown (${add.name.slice(3)}): ${error.message}`));
  }
}
document.getElementById("footer").append(`Made by retort ${report.retort ?? ""}. The same figures are in report.json beside this page.`);
watchTheme(drawAll);
drawAll();
watchTerms(MEASURES);
watchContents();
root.dataset.ready = "true"; // for those who check the page from outside
