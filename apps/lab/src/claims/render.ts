import type { Exhibit } from './exhibit.ts'
import { verdictOf } from './exhibit.ts'

/** An exhibit for a terminal: the claim, each experiment with its figure, and whether it held. */
export function renderExhibit(exhibit: Exhibit): string {
  const { row, claim, findings, notBuilt } = exhibit
  const partly = findings.length > 0 && notBuilt.length > 0 ? ', of what is built' : ''
  return [
    `${row.toUpperCase()}: ${verdictOf(exhibit)}${partly}`,
    paragraph('claim', claim),
    ...findings.flatMap(({ experiment, figure, bound, holds }) => [
      paragraph('experiment', experiment),
      paragraph(holds ? 'held' : 'NOT HELD', `${figure} (wanted: ${bound})`),
    ]),
    ...notBuilt.map((sentence) => paragraph('not built', sentence)),
  ].join('\n')
}

/** The exhibits of one overlay. */
export interface Measured {
  readonly overlay: string
  readonly exhibits: readonly Exhibit[]
}

/** What held on which overlay: a line for each row, a column for each overlay. */
export function renderVerdicts(measured: readonly Measured[]): string {
  const rows = measured[0]!.exhibits.map(({ row }, i) => [row, ...measured.map(({ exhibits }) => verdictOf(exhibits[i]!))])
  return [['', ...measured.map(({ overlay }) => overlay)], ...rows]
    .map(([row, ...verdicts]) => (row!.padEnd(24) + verdicts.map((verdict) => verdict.padEnd(11)).join('')).trimEnd())
    .join('\n')
}

const labelWidth = 14
const lineWidth = 120

/** Words in lines, beside a label. */
function paragraph(label: string, words: string): string {
  const lines: string[] = []
  let line = ''
  for (const word of words.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > lineWidth - labelWidth) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map((text, i) => `  ${(i === 0 ? label : '').padEnd(labelWidth - 2)}${text}`).join('\n')
}
