import type { Comparison } from '../compare/comparison.ts'
import { formatEstimate } from '../compare/format.ts'
import { describeCommand, describeWorkload } from '../compare/table.ts'
import { charts } from './charts.ts'
import type { Chart } from './charts.ts'
import { element, textNode } from './svg.ts'

/** The comparison as one HTML file that needs nothing else: plots as SVG, the table, and how to repeat it. */
export function renderPage(comparison: Comparison): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Plaxton: overlays compared</title>
<style>${style}</style>
</head>
<body>
<h1>Overlays compared</h1>
<p>${textNode(`${describeWorkload(comparison.workload, comparison.seeds)}.`)}</p>
<p>Repeat with <code>${textNode(describeCommand(comparison))}</code></p>
<p>A whisker reaches one standard deviation between seeds to either side. Each overlay has one colour throughout.</p>
${sections(charts(comparison)).join('\n')}
<h2>All figures</h2>
<div class="wide">${table(comparison)}</div>
</body>
</html>
`
}

/** Charts that follow each other under one heading. */
function sections(all: readonly Chart[]): string[] {
  const titles = [...new Set(all.map(({ section }) => section))]
  return titles.map((title) => {
    const drawn = all.filter(({ section }) => section === title).map(renderChart)
    return element('section', {}, element('h2', {}, textNode(title)), element('div', { class: 'charts' }, ...drawn))
  })
}

function renderChart({ title, says, svg }: Chart): string {
  return element('figure', {}, element('figcaption', {}, element('b', {}, textNode(title)), ` ${textNode(says)}`), svg)
}

function table({ figures, overlays }: Comparison): string {
  const head = element('tr', {}, element('th', {}, ''), ...overlays.map(({ name }) => element('th', { scope: 'col' }, textNode(name))))
  const rows = figures.flatMap(({ name, group, title, form }, i) => [
    ...(group === figures[i - 1]?.group
      ? []
      : [element('tr', {}, element('th', { colspan: overlays.length + 1, class: 'group' }, textNode(group)))]),
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, textNode(title)),
      ...overlays.map((overlay) => element('td', {}, textNode(formatEstimate(overlay.figures[name], form)))),
    ),
  ])
  return element('table', {}, head, ...rows)
}

const style = `
  body { font: 15px/1.45 system-ui, 'DejaVu Sans', sans-serif; color: #1a1a1a; background: #fff; margin: 2rem auto; padding: 0 1rem; max-width: 1080px }
  h1 { font-size: 1.6rem; margin-bottom: .4rem }
  h2 { font-size: 1.15rem; margin: 2.4rem 0 1rem; padding-bottom: .3rem; border-bottom: 2px solid #1a1a1a }
  p { margin: .4rem 0 }
  code { background: #f3f3f3; padding: .1em .3em; overflow-wrap: anywhere }
  .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); gap: 1rem }
  figure { margin: 0; padding: .9rem 1rem .7rem; border: 1px solid #e0e0e0; border-radius: 6px; break-inside: avoid }
  figcaption { min-height: 4.35em }
  figcaption b { display: block }
  svg { display: block; width: 100%; height: auto }
  .wide { overflow-x: auto }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums }
  th, td { padding: .2rem .9rem .2rem 0; text-align: right; border-bottom: 1px solid #e4e4e4; white-space: nowrap }
  th[scope='row'] { text-align: left; font-weight: normal; padding-left: 1rem }
  th.group { text-align: left; padding-top: .8rem }
`
