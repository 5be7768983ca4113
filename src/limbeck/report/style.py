"""The looks of a page: one style sheet for both themes and all widths, and the script that draws its figures."""

__all__ = ["SCRIPT", "STYLE"]

STYLE = """
:root { color-scheme: light dark; --ink: #1c2530; --soft: #55606e; --paper: #ffffff; --panel: #f5f7fa; --line: #d9dfe7;
  --accent: #0b5cad; --grid: #e4e8ee; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ebf0; --soft: #a3adba; --paper: #14181e; --panel: #1d232b;
  --line: #343d49; --accent: #7db8f2; --grid: #2b333d; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
header, main, footer { max-width: 68rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2.25rem; }
h1 { font-size: 1.05rem; font-weight: 600; color: var(--soft); margin: 0 0 .6rem; overflow-wrap: anywhere; }
.finding { font-size: clamp(1.3rem, 2.4vw + .6rem, 1.9rem); line-height: 1.3; font-weight: 650; margin: 0 0 1rem;
  max-width: 60rem; overflow-wrap: anywhere; text-wrap: pretty; }
header ul { margin: 0 0 1.25rem; padding-left: 1.2rem; color: var(--soft); }
header li { overflow-wrap: anywhere; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem;
  margin: 0 0 1.25rem; }
.facts div { display: flex; flex-direction: column; padding: .7rem .9rem;
  background: var(--panel); border: 1px solid var(--line); border-radius: .6rem; }
.facts dt { color: var(--soft); font-size: .84rem; line-height: 1.3; }
.facts dd { margin: 0; order: -1; font-size: 1.5rem; font-weight: 650; line-height: 1.3;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.facts dd.detail { order: 1; margin-top: .2rem; line-height: 1.35; font-size: .84rem;
  font-weight: 400; color: var(--soft); }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; padding: .6rem 0; margin: 0;
  border-top: 1px solid var(--line); border-bottom: 1px solid var(--line); font-size: .92rem; }
a { color: var(--accent); text-underline-offset: .15em; }
section { padding: 1.6rem 0 .4rem; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 0 0 .5rem; }
h3 { font-size: 1rem; margin: 1rem 0 .35rem; overflow-wrap: anywhere; }
p { max-width: 52rem; margin: 0 0 .7rem; overflow-wrap: anywhere; }
figure { margin: .5rem 0 1.4rem; }
.scroll { overflow-x: auto; -webkit-overflow-scrolling: touch; }
.scroll + .scroll { margin-top: 1.3rem; }
.plot { width: 100%; }
table { border-collapse: collapse; font-size: .9rem; line-height: 1.4; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding: .2rem 0 .45rem; font-size: .9rem; }
th, td { padding: .34rem 1.3rem .34rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { color: var(--soft); font-weight: 600; border-bottom-width: 2px; white-space: nowrap; }
th, td { white-space: nowrap; }
td.long { white-space: normal; min-width: 16rem; max-width: 34rem; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; }
.scroll td:first-child, .scroll thead th:first-child { position: sticky; left: 0; background: var(--paper); }
details { margin: .4rem 0 1rem; }
summary { cursor: pointer; color: var(--accent); font-size: .92rem; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .8rem 1rem;
  margin: .3rem 0 1rem; overflow-x: auto; font: .88rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.gallery { width: 100%; table-layout: fixed; }
.gallery th, .gallery td { padding: .3rem .8rem .3rem 0; vertical-align: middle; }
.gallery .name { width: 7.5rem; font-weight: 500; white-space: normal; overflow-wrap: anywhere; }
.gallery img { display: block; width: 100%; height: auto; image-rendering: pixelated; border-radius: .2rem; }
footer { color: var(--soft); font-size: .86rem; padding-top: 1.2rem; padding-bottom: 2.5rem; }
@media (max-width: 40rem) {
  header { padding-top: 1.4rem; }
  header, main, footer { padding-left: 1rem; padding-right: 1rem; }
  .facts { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .55rem; }
  .facts dd { font-size: 1.25rem; }
  .gallery thead { position: absolute; clip-path: inset(50%); }
  .gallery tr { display: grid; grid-template-columns: 4.6rem minmax(0, 1fr); border-bottom: 1px solid var(--line); }
  .gallery th, .gallery td { border: 0; padding: .25rem .4rem .25rem 0; }
  .gallery .name { font-size: .82rem; grid-row: 1 / span 3; width: auto; align-self: center; }
  .gallery td { grid-column: 2; }
  .gallery td::before { content: attr(data-column); color: var(--soft); font-size: .72rem; line-height: 1.2;
    display: block; }
}
@media print { nav, .modebar { display: none; } section { break-inside: avoid-page; } }
"""

# Drawn again when the theme changes, because Plotly writes colours into the picture. Legends stand under the plot, so
# that a phone keeps its whole width for the curves.
SCRIPT = """
"use strict";
(function () {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const options = { responsive: true, displaylogo: false,
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"] };
  function themed(layout) {
    const style = getComputedStyle(document.documentElement);
    const value = (name) => style.getPropertyValue(name).trim();
    const copy = JSON.parse(JSON.stringify(layout));
    copy.font.color = value("--ink");
    copy.modebar = { bgcolor: "rgba(0,0,0,0)", color: value("--soft"), activecolor: value("--accent") };
    copy.hoverlabel = { bgcolor: value("--panel"), font: { color: value("--ink") }, bordercolor: value("--line") };
    for (const axis of [copy.xaxis, copy.yaxis]) {
      axis.gridcolor = value("--grid");
      axis.linecolor = value("--line");
      axis.showline = true;
    }
    return copy;
  }
  function draw() {
    for (const [name, figure] of Object.entries(figures)) {
      Plotly.react(document.getElementById(name), figure.data, themed(figure.layout), options);
    }
  }
  dark.addEventListener("change", draw);
  draw();
})();
"""
