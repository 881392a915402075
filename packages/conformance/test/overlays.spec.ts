import { overlayConformance } from '../src/index.ts'
import { overlays, variants } from './support/overlays.ts'

for (const [name, subject] of Object.entries(overlays)) overlayConformance(name, subject)
// A smaller slice for every day; `npm run conform` runs the whole, with services too.
for (const [name, subject] of Object.entries(variants)) overlayConformance(name, { ...subject, seeds: 1, nodes: 8 })
