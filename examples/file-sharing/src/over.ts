import { UsageError } from './usage.ts'
import type { OverlayFactory } from '@plaxton/kbr'

/** What the program can run over, by the word that says so. An overlay that is not used is not loaded. */
export const overlays: Readonly<Record<string, () => Promise<OverlayFactory>>> = {
  pastry: async () => (await import('@plaxton/pastry')).pastry(),
  tapestry: async () => (await import('@plaxton/tapestry')).tapestry(),
  chord: async () => (await import('@plaxton/chord')).chord(),
  kademlia: async () => (await import('@plaxton/kademlia')).kademlia(),
  can: async () => (await import('@plaxton/can')).can(),
}

/** The overlay of this name; undefined for the central index. Throws for any other word. */
export async function overlayNamed(over: string): Promise<OverlayFactory | undefined> {
  if (over === 'central') return undefined
  const make = overlays[over]
  if (make === undefined) throw new UsageError(`--over is ${over}; there is central, ${Object.keys(overlays).join(', ')}`)
  return make()
}
