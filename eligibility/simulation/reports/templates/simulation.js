"use strict";
// Shows only the rows that name what is looked for. The page is whole without it.
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
// In large grids a no has its reasons at the end of its link alone: show them where one points.
document.querySelector(".grid").addEventListener("mouseover", (event) => {
  const link = event.target.closest("td")?.querySelector("a");
  if (link && !link.parentNode.title) {
    const reasons = document.querySelector(link.hash);
    link.parentNode.title = [...reasons.querySelectorAll("p, ul li")].map((item) => item.textContent).join("\n");
  }
});
