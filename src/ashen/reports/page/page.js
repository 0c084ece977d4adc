"use strict";
// Draws the charts of the page, and draws them anew when the reader changes between light and dark.
const figures = JSON.parse(document.getElementById("charts").textContent);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function template() {
  const axis = { gridcolor: colour("--line"), zerolinecolor: colour("--line"), linecolor: colour("--line"), automargin: true };
  return {
    layout: {
      font: { color: colour("--ink"), family: "system-ui, sans-serif", size: 12 },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      hoverlabel: { bgcolor: colour("--paper"), font: { color: colour("--ink") }, bordercolor: colour("--line") },
      xaxis: axis,
      yaxis: axis,
      margin: { l: 48, r: 12, t: 8, b: 40 },
      updatemenudefaults: { bgcolor: colour("--paper"), bordercolor: colour("--line"), font: { color: colour("--ink") } },
    },
  };
}

function draw() {
  const look = template();
  for (const place of document.querySelectorAll(".chart")) {
    const figure = figures[Number(place.dataset.chart)];
    const layout = Object.assign({}, figure.layout, { template: look });
    Plotly.react(place, figure.traces, layout, { responsive: true, displaylogo: false, displayModeBar: false });
  }
}

draw();
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
