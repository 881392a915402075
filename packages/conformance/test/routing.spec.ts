import { kbrConformance, kbrOnMemoryNetwork } from '../src/index.ts'
import { overlays } from './support/overlays.ts'

for (const [name, { create, ownership, has }] of Object.entries(overlays)) {
  kbrConformance(`key-based routing by ${name} on the memory network`, {
    open: kbrOnMemoryNetwork(create),
    ownership,
    has: { ...has, cuts: false },
  })
}
