import { surrogate } from '@plaxton/simulator'
import { tapestry, tapestryDefaults } from '@plaxton/tapestry'
import { overlayConformance } from '../src/index.ts'

overlayConformance('tapestry', {
  create: tapestry,
  ownership: surrogate(tapestryDefaults.digitBits),
  has: { ranges: 'scattered', proximity: true, heals: true },
})
