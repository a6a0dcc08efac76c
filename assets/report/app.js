"use strict";
const report = JSON.parse(document.getElementById("report-data").textContent);
document.getElementById("page").textContent = report.title;
