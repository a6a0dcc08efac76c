// A chart's figures as files, made by the browser itself. A sheet: {id, title, columns: [{key, label}], rows: [[cell]]}.
// src/report/sheets.c writes the same rows.
function csvCell(cell) {
  if (cell === null || cell === undefined) return "";
  let text = String(cell);
  if (typeof cell === "string" && /^[=+\-@\t\r]./s.test(text)) text = `'${text}`; // no formula for a spreadsheet
  return /[",\n\r\0]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csvOf(sheet) {
  const lines = [sheet.columns.map((column) => column.key), ...sheet.rows];
  return lines.map((line) => `${line.map(csvCell).join(",")}\n`).join("");
}

function jsonOf(sheet) {
  const keys = sheet.columns.map((column) => column.key);
  const rows = sheet.rows.map((row) => Object.fromEntries(keys.map((key, i) => [key, row[i] ?? null])));
  return `${JSON.stringify({ id: sheet.id, title: sheet.title, note: sheet.note, rows }, null, 1)}\n`;
}

function saveFile(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = el("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

// Two buttons; sheet() gives the figures as they are when one is pressed.
function downloads(title, sheet) {
  const button = (kind, type, write) => el("button", { type: "button", class: "save", "aria-label": `${title} as ${kind}`,
    click: () => { const made = sheet(); saveFile(`${made.id}.${kind.toLowerCase()}`, type, write(made)); } }, kind);
  return el("span", { class: "saves" }, button("CSV", "text/csv", csvOf), button("JSON", "application/json", jsonOf));
}

const fileName = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "figures";
