import { can } from '@plaxton/can'
import { chord } from '@plaxton/chord'
import { kademlia } from '@plaxton/kademlia'
import { pastry } from '@plaxton/pastry'
import { clockwise, ringDistance, surrogate, xorDistance, zoneOrder } from '@plaxton/simulator'
import { tapestry, tapestryDefaults } from '@plaxton/tapestry'
import type { OverlayUnderTest } from '../../src/index.ts'

/** The overlays that must pass, by name, and what is true of each. */
export const overlays: Readonly<Record<string, OverlayUnderTest>> = {
  pastry: {
    create: pastry,
    ownership: ringDistance,
    has: { ranges: 'contiguous', proximity: true, heals: true },
  },
  tapestry: {
    create: tapestry,
    ownership: surrogate(tapestryDefaults.digitBits),
    has: { ranges: 'scattered', proximity: true, heals: true },
  },
  kademlia: {
    create: kademlia,
    ownership: xorDistance,
    has: { ranges: 'scattered', proximity: true, heals: true },
  },
  chord: {
    create: chord,
    ownership: clockwise,
    has: { ranges: 'contiguous', proximity: true, heals: true },
  },
  can: {
    create: can,
    ownership: zoneOrder(),
    has: { ranges: 'contiguous', proximity: true, heals: true },
  },
}

/** Overlays configured in another way; every day with fewer cases. */
export const variants: Readonly<Record<string, OverlayUnderTest>> = {
  'can-realities': {
    ...overlays['can']!,
    create: () => can({ realities: 2 }),
    ownership: zoneOrder(),
    // Of the 64 nodes of that case each knows half, and ways of three hops, which it looks at, lead through those with little choice. Among 160 nodes first hops are .56 to .65 as far as random members.
    has: { ...overlays['can']!.has, proximity: false },
  },
}
