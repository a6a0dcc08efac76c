// Puts the page together. The list is there as soon as the index is; texts come when they are looked at.
async function start() {
  watchTheme(() => { if (reader.row >= 0) drawReader(); });
  watchTerms({});
  list.choose = (at) => { openRow(list.rows[at]); };
  if (typeof DecompressionStream === "undefined") throw new Error("this browser is too old to read the explorer’s files; one of 2023 or later can");
  await loadResponses();
  document.title = `Responses: ${store.index.title}`;
  document.getElementById("title").textContent = store.index.title;
  reader.hidden = quietKinds();
  watchKeys();
  toggleFilters(matchMedia("(min-width: 1200px)").matches);
  const row = readHash();
  drawFilters();
  await applyFilters(row);
  if (row !== undefined) await openRow(row);
  document.getElementById("wait")?.replaceChildren("Choose a response from the list.");
  addEventListener("hashchange", async () => {
    const asked = readHash();
    drawFilters();
    await applyFilters(asked);
    if (asked !== undefined) await openRow(asked);
  });
  root.dataset.ready = "true"; // for those who check the page from outside
}

start().catch((error) => {
  console.error(error);
  reader.box.replaceChildren(el("p", { class: "banner", role: "alert" }, `The explorer cannot start: ${error.message}.`));
});
