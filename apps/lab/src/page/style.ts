/** How one overlay, or one column of a table, looks wherever it is drawn. Colours are Okabe and Ito's (2008), for all kinds of sight; dashes and marks tell them apart in grey. */
export interface LineStyle {
  readonly colour: string
  /** The same on a dark page. */
  readonly onDark: string
  readonly dashes: string
  readonly mark: Mark
}

export type Mark = 'circle' | 'square' | 'triangle' | 'diamond' | 'ring'

export const lineStyles: readonly LineStyle[] = [
  { colour: '#0072b2', onDark: '#56b4e9', dashes: 'none', mark: 'circle' },
  { colour: '#d55e00', onDark: '#ee8a4a', dashes: '7 3', mark: 'square' },
  { colour: '#009e73', onDark: '#3fc79a', dashes: '2 2', mark: 'triangle' },
  { colour: '#cc79a7', onDark: '#e3a3c6', dashes: '9 3 2 3', mark: 'diamond' },
  { colour: '#3d3d3d', onDark: '#c4c4c4', dashes: '12 4', mark: 'ring' },
]

/** Of the overlay or column at this place; beyond the fifth they come round again. */
export function lineStyle(index: number): LineStyle {
  return lineStyles[index % lineStyles.length]!
}

/** Of the bars of one overlay that stand together, from dark to light, so that they differ in grey as well. */
const barShades: Readonly<Record<number, readonly number[]>> = { 1: [0.75], 2: [0.95, 0.4], 4: [0.95, 0.6, 0.3, 0.08] }

/** How much of the overlay's colour the bar at this place among `count` that stand together has. */
export function barShade(index: number, count: number): number {
  return barShades[count]?.[index] ?? 0.75
}

export const ink = '#1a1a1a'
export const faint = '#d8d8d8'
export const soft = '#5c5c5c'
export const fontSize = 12
