import { dhtConformance, dolrConformance, kbrConformance, linkConformance } from '@plaxton/conformance'
import { kademlia } from '@plaxton/kademlia'
import { pastry } from '@plaxton/pastry'
import { ringDistance, surrogate, xorDistance } from '@plaxton/simulator'
import { tapestry, tapestryDefaults } from '@plaxton/tapestry'
import { dolr, past } from '../src/index.ts'
import { linkDefaults } from '../src/limits.ts'
import { kbrOnLoopback, linksOnLoopback, onLoopback, virtualLinksOnLoopback } from './support/conformance.ts'

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

kbrConformance('key-based routing by Pastry on libp2p', {
  open: kbrOnLoopback(pastry()),
  ownership: ringDistance,
  has: { ranges: 'contiguous', proximity: true, heals: true, cuts: false },
  sizes,
})

kbrConformance('key-based routing by Tapestry on libp2p', {
  open: kbrOnLoopback(tapestry()),
  ownership: surrogate(tapestryDefaults.digitBits),
  has: { ranges: 'scattered', proximity: true, heals: true, cuts: false },
  sizes,
})

kbrConformance('key-based routing by Kademlia on libp2p', {
  open: kbrOnLoopback(kademlia()),
  ownership: xorDistance,
  has: { ranges: 'scattered', proximity: true, heals: true, cuts: false },
  sizes,
})

for (const overlay of [pastry(), tapestry(), kademlia()]) {
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
