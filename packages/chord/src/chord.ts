import type { OverlayFactory } from '@plaxton/kbr'
import { ChordNode } from './chord-node.ts'
import { chordConfig } from './config.ts'
import type { ChordConfig } from './config.ts'

/** Makes Chord nodes with the defaults and these changes. Throws `InvalidValueError` naming the field that is wrong. */
export function chord(changes: Partial<ChordConfig> = {}): OverlayFactory {
  const config = chordConfig(changes)
  return { name: 'chord', create: (self, prng) => new ChordNode(self, config, prng) }
}
