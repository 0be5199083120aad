"use strict";
// Filters rows by the search text. Without scripts, the page shows all rows.
const field = document.getElementById("find");
const found = document.getElementById("found");
const rows = [...document.querySelectorAll(".grid tbody tr")];
const names = rows.map((row) => row.cells[0].textContent.toLowerCase());
field.closest(".find").hidden = false;
field.addEventListener("input", () => {
  const wanted = field.value.trim().toLowerCase();
  let count = 0;
  rows.forEach((row, index) => {
    const shown = names[index].includes(wanted);
    row.hidden = !shown;
    count += shown ? 1 : 0;
  });
  found.textContent = wanted ? `${count} of ${rows.length} rows` : "";
});
// In large grids, cells have no hover texts: copy the reasons from the target of the link.
document.querySelector(".grid").addEventListener("mouseover", (event) => {
  const link = event.target.closest("td")?.querySelector("a");
  if (link && !link.parentNode.title) {
    const reasons = document.querySelector(link.hash);
    link.parentNode.title = [...reasons.querySelectorAll("p, ul li")].map((item) => item.textContent).join("\n");
  }
});
