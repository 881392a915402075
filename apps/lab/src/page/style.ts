/** How the line of one overlay looks. Colours are Okabe and Ito's (2008), for all kinds of sight; dashes and marks tell them apart in grey. */
export interface LineStyle {
  readonly colour: string
  readonly dashes: string
  readonly mark: Mark
}

export type Mark = 'circle' | 'square' | 'triangle' | 'diamond' | 'ring'

const lineStyles: readonly LineStyle[] = [
  { colour: '#000000', dashes: 'none', mark: 'circle' },
  { colour: '#d55e00', dashes: '7 3', mark: 'square' },
  { colour: '#0072b2', dashes: '2 2', mark: 'triangle' },
  { colour: '#009e73', dashes: '9 3 2 3', mark: 'diamond' },
  { colour: '#cc79a7', dashes: '12 4', mark: 'ring' },
]

/** Of the overlay at this place; beyond the fifth they come round again. */
export function lineStyle(index: number): LineStyle {
  return lineStyles[index % lineStyles.length]!
}

/** Of the bars that stand together, from dark to light: one ink, so that they differ in grey as well. */
const barFills = ['#1d3f63', '#5f8fbf', '#a8c6e2', '#e1ecf6'] as const

/** Of the bar at this place among `count` that stand together. */
export function barFill(index: number, count: number): string {
  return count === 1 ? barFills[1] : barFills[index % barFills.length]!
}

export const ink = '#1a1a1a'
export const faint = '#d8d8d8'
export const soft = '#5c5c5c'
export const fontSize = 12
