import { UsageError } from './errors.ts'
import type { OverlayFactory } from '@plaxton/kbr'

/** An overlay that nodes can run. */
export interface OverlayKind {
  /** What it is called in a sentence. */
  readonly title: string
  /** Every parameter with its value unless a node is told otherwise. */
  readonly defaults: object
  /** What makes its nodes. Throws `InvalidValueError` for a parameter out of its range. */
  make(parameters?: Parameters): OverlayFactory
}

/** Parameters of an overlay by name, as they stand in its section of a configuration file. */
export type Parameters = Readonly<Record<string, number>>

/** The overlays there are, by the name that `--overlay` and the configuration file take. One that is not used is not loaded. */
const overlays = {
  pastry: () => import('@plaxton/pastry').then((it) => kind('Pastry', it.pastry, it.pastryDefaults)),
  tapestry: () => import('@plaxton/tapestry').then((it) => kind('Tapestry', it.tapestry, it.tapestryDefaults)),
  chord: () => import('@plaxton/chord').then((it) => kind('Chord', it.chord, it.chordDefaults)),
  can: () => import('@plaxton/can').then((it) => kind('CAN', it.can, it.canDefaults)),
  kademlia: () => import('@plaxton/kademlia').then((it) => kind('Kademlia', it.kademlia, it.kademliaDefaults)),
} as const satisfies Record<string, () => Promise<OverlayKind>>

export type OverlayName = keyof typeof overlays
export const overlayNames = Object.keys(overlays) as OverlayName[]

/** What a node runs when nobody says. */
export const defaultOverlay: OverlayName = 'pastry'

/** The overlay of that name. Throws `UsageError` when there is none. */
export function overlayNamed(name: string): Promise<OverlayKind> {
  const found = overlayNames.find((known) => known === name)
  if (found === undefined) throw new UsageError(`there is no overlay ${JSON.stringify(name)}; there is ${overlayNames.join(', ')}`)
  return overlays[found]()
}

function kind<Config extends object>(title: string, make: (changes?: Partial<Config>) => OverlayFactory, defaults: Config): OverlayKind {
  return { title, defaults, make: (parameters = {}) => make(parameters as Partial<Config>) }
}
