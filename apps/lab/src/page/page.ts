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
<main>
${charts(comparison).map(renderChart).join('\n')}
</main>
${table(comparison)}
</body>
</html>
`
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
  body { font: 15px/1.45 system-ui, 'DejaVu Sans', sans-serif; color: #1a1a1a; background: #fff; margin: 2rem auto; padding: 0 1rem; max-width: 1060px }
  h1 { font-size: 1.5rem }
  code { background: #f3f3f3; padding: .1em .3em; overflow-wrap: anywhere }
  main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); gap: 1.6rem 2rem; margin: 2rem 0 }
  figure { margin: 0; break-inside: avoid }
  figcaption { min-height: 2.9em }
  figcaption b { display: block }
  svg { width: 100%; height: auto }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums }
  th, td { padding: .2rem .9rem .2rem 0; text-align: right; border-bottom: 1px solid #e4e4e4 }
  th[scope='row'] { text-align: left; font-weight: normal; padding-left: 1rem }
  th.group { text-align: left; padding-top: .8rem }
`
