import { can } from '@plaxton/can'
import { chord } from '@plaxton/chord'
import { kademlia } from '@plaxton/kademlia'
import { pastry } from '@plaxton/pastry'
import { clockwise, ringDistance, surrogate, xorDistance, zoneOrder } from '@plaxton/simulator'
import { tapestry, tapestryDefaults } from '@plaxton/tapestry'
import type { OverlayFactory } from '@plaxton/kbr'
import type { Ownership } from '@plaxton/simulator'

/** An overlay that the services are tried on: a program that swaps one for the other changes this word and nothing else. */
interface OverlayUnderTest {
  readonly factory: () => OverlayFactory
  /** Whose keys are whose, slow and by the book. */
  readonly ownership: Ownership
  readonly ranges: 'contiguous' | 'scattered'
}

export const overlays: Readonly<Record<string, OverlayUnderTest>> = {
  pastry: { factory: pastry, ownership: ringDistance, ranges: 'contiguous' },
  tapestry: { factory: tapestry, ownership: surrogate(tapestryDefaults.digitBits), ranges: 'scattered' },
  kademlia: { factory: kademlia, ownership: xorDistance, ranges: 'scattered' },
  chord: { factory: chord, ownership: clockwise, ranges: 'contiguous' },
  can: { factory: can, ownership: zoneOrder(), ranges: 'contiguous' },
}
