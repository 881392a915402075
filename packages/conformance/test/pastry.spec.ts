import { pastry } from '@plaxton/pastry'
import { ringDistance } from '@plaxton/simulator'
import { overlayConformance } from '../src/index.ts'

overlayConformance('pastry', { create: pastry, ownership: ringDistance, has: { ranges: 'contiguous', proximity: true, heals: true } })
