import { dhtConformance, dolrConformance, kbrConformance, linkConformance } from '@plaxton/conformance'
import { dolr, past } from '../src/index.ts'
import { linkDefaults } from '../src/limits.ts'
import { kbrOnLoopback, linksOnLoopback, onLoopback, virtualLinksOnLoopback } from './support/conformance.ts'
import { overlays } from './support/overlays.ts'

// Real TCP on loopback, encrypted. Connections cost tens of milliseconds of processor time each, so the networks are small.

const sizes = [1, 2, 5]

linkConformance('Libp2pLink', {
  open: async () => linksOnLoopback(),
  has: { frameBytesMax: linkDefaults.maxBlockBytes, orderedBytesMax: linkDefaults.maxFrameBytes, lastWords: true },
})

linkConformance('Libp2pLink, of virtual nodes on two hosts', {
  open: async () => virtualLinksOnLoopback(),
  // Three bytes less, which say the numbers of the two.
  has: { frameBytesMax: linkDefaults.maxBlockBytes - 3, orderedBytesMax: linkDefaults.maxFrameBytes - 3, lastWords: true },
})

for (const { factory, ownership, ranges } of Object.values(overlays)) {
  const overlay = factory()
  kbrConformance(`key-based routing by ${overlay.name} on libp2p`, {
    open: kbrOnLoopback(overlay),
    ownership,
    has: { ranges, proximity: true, heals: true, cuts: false },
    sizes,
  })

  dhtConformance(`PAST over ${overlay.name} on libp2p`, {
    has: { names: true, strangers: true, cuts: false },
    open: onLoopback(overlay, () => past()),
    sizes,
  })

  dolrConformance(`DOLR over ${overlay.name} on libp2p`, {
    has: { strangers: true, cuts: false },
    open: onLoopback(overlay, () => dolr({ republishMs: 2_000 })),
    sizes,
  })
}
