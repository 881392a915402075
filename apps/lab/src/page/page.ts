import type { Comparison } from '../compare/comparison.ts'
import { formatEstimate } from '../compare/format.ts'
import { describeCommand, describeWorkload } from '../compare/table.ts'
import { charts } from './charts.ts'
import type { Chart } from './charts.ts'
import { document } from './document.ts'
import { element, textNode } from './svg.ts'

/** The comparison as one HTML file that needs nothing else: plots as SVG, the table, and how to repeat it. */
export function renderPage(comparison: Comparison): string {
  return document(
    'Plaxton: overlays compared',
    `<h1>Overlays compared</h1>
<p>${textNode(`${describeWorkload(comparison.workload, comparison.seeds)}.`)}</p>
<p>Repeat with <code>${textNode(describeCommand(comparison))}</code></p>
<p>A whisker reaches one standard deviation between seeds to either side. Each overlay has one colour throughout.</p>
${sections(charts(comparison)).join('\n')}
<h2>All figures</h2>
<div class="wide">${table(comparison)}</div>`,
  )
}

/** Charts that follow each other under one heading. */
function sections(all: readonly Chart[]): string[] {
  const titles = [...new Set(all.map(({ section }) => section))]
  return titles.map((title) => {
    const drawn = all.filter(({ section }) => section === title).map(renderChart)
    return element('section', {}, element('h2', {}, textNode(title)), element('div', { class: 'charts sentence' }, ...drawn))
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
