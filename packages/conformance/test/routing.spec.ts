import { pastry } from '@plaxton/pastry'
import { ringDistance, surrogate } from '@plaxton/simulator'
import { tapestry, tapestryDefaults } from '@plaxton/tapestry'
import { kbrConformance, kbrOnMemoryNetwork } from '../src/index.ts'

kbrConformance('key-based routing by Pastry on the memory network', {
  open: kbrOnMemoryNetwork(pastry),
  ownership: ringDistance,
  has: { ranges: 'contiguous', proximity: true, heals: true, cuts: false },
})

kbrConformance('key-based routing by Tapestry on the memory network', {
  open: kbrOnMemoryNetwork(tapestry),
  ownership: surrogate(tapestryDefaults.digitBits),
  has: { ranges: 'scattered', proximity: true, heals: true, cuts: false },
})
