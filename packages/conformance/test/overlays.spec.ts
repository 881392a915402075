import { overlayConformance } from '../src/index.ts'
import { overlays } from './support/overlays.ts'

for (const [name, subject] of Object.entries(overlays)) overlayConformance(name, subject)
