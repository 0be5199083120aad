// Draw charts over time with uPlot from data in the page. The table next to a chart has the same numbers.
"use strict";

function draw(place) {
  const points = JSON.parse(place.dataset.points);
  const names = JSON.parse(place.dataset.names);
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  const colors = [color("--good"), color("--bad"), color("--accent")];
  const axis = { stroke: color("--muted"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line") } };
  // Stack the series: each adds to the ones before it. The last one is the sum, and is drawn first.
  const upTo = (point, at) => point.slice(1, at + 2).reduce((sum, value) => sum + value, 0);
  const order = [...names.keys()].reverse();
  const columns = [points.map((point) => point[0]), ...order.map((at) => points.map((point) => upTo(point, at)))];
  const step = points.length > 1 ? points[1][0] - points[0][0] : 3600;
  const bars = uPlot.paths.bars({ size: [0.8, 40], align: 1 });
  const clock = (_, ticks) => ticks.map((at) => { const t = new Date(at * 1e3).toISOString(); return t.slice(11, 16) === "00:00" ? t.slice(5, 10) : t.slice(11, 16); });
  place.replaceChildren();
  new uPlot(
    {
      width: place.clientWidth,
      height: place.clientHeight - 40, // the legend below
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "UTC"),
      cursor: { drag: { x: false, y: false } },
      scales: { x: { range: (_, first, last) => [first, last + step] } }, // room for the last bar
      axes: [{ ...axis, values: clock }, { ...axis, size: 56 }],
      series: [{}, ...order.map((at) => ({ label: names[at], stroke: colors[at], fill: colors[at], width: 0, paths: bars, points: { show: false }, value: (_, sum, __, place) => (place == null ? "" : points[place][at + 1].toLocaleString("en")) }))],
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
