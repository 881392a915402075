import type { Comparison } from './comparison.ts'
import { formatEstimate } from './format.ts'
import type { Workload } from './workload.ts'

/** The comparison for a terminal: a column for each overlay, figures in groups. */
export function renderTable({ workload, seeds, figures, overlays }: Comparison): string {
  const compared = overlays.filter((overlay) => overlay.failures.length < seeds.length)
  const rows = figures.map(({ name, title, form }) => [
    `  ${title}`,
    ...compared.map((overlay) => formatEstimate(overlay.figures[name], form)),
  ])
  const header = ['', ...compared.map(({ name }) => name)]
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column]!.length)))
  const line = (cells: readonly string[]) =>
    cells.map((text, i) => (i === 0 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join('   ')
  const lines = [describeWorkload(workload, seeds), '', line(header).trimEnd()]
  figures.forEach(({ group }, i) => {
    if (group !== figures[i - 1]?.group) lines.push(group)
    lines.push(line(rows[i]!))
  })
  const failures = overlays.flatMap(({ name, failures: failed }) => failed.map((sentence) => `${name} FAILED, ${sentence}`))
  return [...lines, ...(failures.length === 0 ? [] : ['', ...failures])].join('\n')
}

/** What was done, in a line or two. */
export function describeWorkload({ nodes, topology, sessionMinutes, minutes }: Workload, seeds: readonly number[]): string {
  const spread = seeds.length > 1 ? 'mean ± standard deviation' : 'one run'
  return (
    `${nodes} nodes, topology ${topology}, ${minutes} min of quiet and of churn with sessions of ${sessionMinutes} min on average; ` +
    `seed${seeds.length > 1 ? 's' : ''} ${seeds.join(', ')}: ${spread}`
  )
}

/** The command that repeats it. */
export function describeCommand({ workload, seeds, overlays }: Comparison): string {
  const { nodes, topology, sessionMinutes, minutes } = workload
  const range = seeds.length === 1 ? seeds[0] : `${seeds[0]}..${seeds.at(-1)}`
  const names = overlays.map(({ name }) => name).join()
  return (
    `npm run lab -- compare --overlays ${names} --nodes ${nodes} --topology ${topology} ` +
    `--session ${sessionMinutes} --minutes ${minutes} --seeds ${range}`
  )
}
