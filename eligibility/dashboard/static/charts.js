// Lines over time, drawn by uPlot from what the page carries; the table beside has the same numbers.
"use strict";

function draw(place) {
  const points = JSON.parse(place.dataset.points);
  const names = JSON.parse(place.dataset.names);
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  const colors = [color("--good"), color("--bad"), color("--accent")];
  const axis = { stroke: color("--muted"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line") } };
  const columns = [0, ...names.keys().map((at) => at + 1)].map((at) => points.map((point) => point[at]));
  const bars = uPlot.paths.bars({ size: [0.8, 40], align: 1 });
  const clock = (_, ticks) => ticks.map((at) => { const t = new Date(at * 1e3).toISOString(); return t.slice(11, 16) === "00:00" ? t.slice(5, 10) : t.slice(11, 16); });
  place.replaceChildren();
  new uPlot(
    {
      width: place.clientWidth,
      height: place.clientHeight - 40, // the legend below
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "UTC"),
      cursor: { drag: { x: false, y: false } },
      axes: [{ ...axis, values: clock }, { ...axis, size: 56 }],
      series: [{}, ...names.map((label, at) => ({ label, stroke: colors[at], fill: at ? "transparent" : colors[at] + "55", width: 1.5, paths: bars, points: { show: false } }))],
    },
    columns,
    place,
  );
}

function drawAll() {
  document.querySelectorAll("[data-chart]").forEach(draw);
}

document.addEventListener("DOMContentLoaded", drawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
let waiting;
addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(drawAll, 150);
});
