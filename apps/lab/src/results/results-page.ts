import { experimentSizes, figure } from '@plaxton/simulator'
import { describeCost } from '../list/command.ts'
import { document } from '../page/document.ts'
import { element, textNode } from '../page/svg.ts'
import { allExperiments } from '../run/experiments.ts'
import type { NamedExperiment } from '../run/experiments.ts'
import type { Cell, Run } from '../run/outcome.ts'
import { drawPlots } from '../run/plots.ts'
import type { KeptOutcome } from './kept.ts'

/** All experiments on one page: what their papers found, and what ours gave where that is kept. */
export function renderResults(kept: readonly KeptOutcome[]): string {
  const entries = allExperiments().map((named) => ({ ...named, kept: kept.find(({ experiment }) => experiment === named.name) }))
  const families = [...new Set(entries.map(({ overlay }) => overlay))]
  const sections = families.map((family) =>
    element('section', {}, element('h2', {}, titleOf(family)), ...entries.filter(({ overlay }) => overlay === family).map(section)),
  )
  return document('Plaxton: the published experiments repeated', [introduction(entries), overview(entries), ...sections].join('\n'))
}

type Entry = NamedExperiment & { readonly kept: KeptOutcome | undefined }

function introduction(entries: readonly Entry[]): string {
  const run = entries.filter((entry) => entry.kept !== undefined)
  const held = run.filter((entry) => entry.kept!.held)
  return `<h1>The published experiments, repeated</h1>
<p>Plaxton is peer-to-peer middleware: many machines that find each other, and whatever is stored on them, with nobody in charge. Each of its overlays is described in a paper with
measurements. Here the overlays’ own code, the same that runs over real networks, is put through those experiments in a simulator, and what comes out stands beside what the papers print.</p>
<p>${run.length} of ${entries.length} experiments were run for this page; in ${held.length} of them every claim held. A claim says what the figures must have in common with the published ones,
and how far they may be apart.</p>
<p>Behind a published figure stands where it is from: (T) the paper’s text or a table, (F) read off a chart, about ±1 % of its axis, (N) an abstract or a summary by others, (R) worked out from an idealised
model. <i>Ideal tables</i> are the same overlay with every table perfect, worked out from global knowledge: the best that could be reached.</p>
<p class="note">Commands are for the root of the repository; <code>--seed</code> gives other draws, <code>${experimentSizes.map((size) => `--${size}`).join(' ')}</code> other sizes.</p>`
}

function overview(entries: readonly Entry[]): string {
  const rows = entries.map((entry) =>
    element(
      'tr',
      {},
      element('td', { class: 'words' }, element('a', { href: `#${idOf(entry)}` }, textNode(entry.name))),
      element('td', { class: 'words' }, textNode(entry.experiment.paper)),
      element('td', { class: 'words' }, verdict(entry)),
    ),
  )
  const head = ['Experiment', 'Paper', 'Result'].map((word) => element('th', { scope: 'col', class: 'words' }, word))
  return element('div', { class: 'wide' }, element('table', {}, element('tr', {}, ...head), ...rows))
}

function section(entry: Entry): string {
  const { name, experiment, kept } = entry
  return element(
    'section',
    { id: idOf(entry) },
    element('h3', {}, `${textNode(`${name}: ${experiment.says}`)} `, verdict(entry)),
    paragraph(element('b', {}, textNode(experiment.paper)), ` ${textNode(experiment.found)}`),
    ...(kept === undefined ? notRun(entry) : outcome(entry, kept)),
  )
}

function notRun({ name, experiment }: Entry): string[] {
  return [
    paragraph(textNode(`${experiment.setup}; ${describeCost(experiment.messages)}.`)),
    paragraph(element('code', {}, textNode(`npm run lab -- run ${name} --save`))),
  ]
}

function outcome(entry: Entry, kept: KeptOutcome): string[] {
  const first = kept.runs[0]!
  const drawn = drawPlots(entry.experiment, first).map((svg) => element('figure', {}, svg))
  return [
    ...(drawn.length === 0 ? [] : [element('div', { class: 'charts' }, ...drawn)]),
    table(first),
    ...first.remarks.map((remark) => paragraph(textNode(remark))),
    claims(kept.runs),
    element('p', { class: 'note' }, textNode(provenance(kept))),
    paragraph(element('code', {}, textNode(kept.command))),
  ]
}

/** The claims with what they were judged by, for each seed. */
function claims(runs: readonly Run[]): string {
  const items = runs[0]!.claims.map(({ says }, i) => {
    const judged = runs.map(({ seed, claims: all }) => ({ seed, ...all[i]! }))
    const measured = judged.map(({ seed, measured: by }) => (runs.length === 1 ? by : `seed ${seed}: ${by}`)).join('; ')
    const failures = judged.filter(({ holds }) => !holds).length
    const word =
      failures === 0 ? badge('held', 'held') : badge('failed', runs.length === 1 ? 'not held' : `not held in ${failures} of ${runs.length}`)
    return element('li', {}, `${word}: ${textNode(says)} `, element('span', { class: 'note' }, textNode(`(${measured})`)))
  })
  return element('ul', { class: 'claims' }, ...items)
}

function table({ title, columns, rows }: Run): string {
  const head = element('tr', {}, ...columns.map((column) => element('th', { scope: 'col' }, textNode(column))))
  const body = rows.map((row) =>
    element('tr', {}, ...row.map((cell, i) => element('td', i === 0 ? { class: 'words' } : {}, textNode(written(cell))))),
  )
  return element('p', { class: 'setup' }, textNode(`${title}.`)) + element('div', { class: 'wide' }, element('table', {}, head, ...body))
}

function written(cell: Cell): string {
  return cell === null ? '' : typeof cell === 'number' ? figure(cell) : cell
}

function verdict({ kept }: Entry): string {
  if (kept === undefined) return element('span', { class: 'note' }, 'not yet run here')
  return kept.held ? badge('held', 'held') : badge('failed', 'not held')
}

function badge(look: 'held' | 'failed', words: string): string {
  return element('span', { class: look }, words)
}

function provenance({ date, commit, node, runs }: KeptOutcome): string {
  const seeds =
    runs.length === 1 ? `seed ${runs[0]!.seed}` : `seeds ${runs.map(({ seed }) => seed).join(', ')}, table and plots of the first`
  return `Run on ${date} with ${seeds}; ${commit === undefined ? '' : `commit ${commit}, `}Node ${node}.`
}

function paragraph(...words: readonly string[]): string {
  return element('p', {}, ...words)
}

function idOf({ name }: NamedExperiment): string {
  return name.replaceAll(' ', '-')
}

function titleOf(family: string): string {
  return family === 'can' ? 'CAN' : family[0]!.toUpperCase() + family.slice(1)
}
