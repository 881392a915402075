import { World } from '@plaxton/simulator'
import type { OverlayUnderTest } from '@plaxton/simulator'
import { topologies } from './workload.ts'
import type { Workload } from './workload.ts'

/** A network of this overlay that has grown by messages alone and had a minute to settle. Messages travel as bytes, so that bytes can be counted. */
export function grow(subject: OverlayUnderTest, seed: number, { nodes, topology }: Workload): World {
  const world = new World({ seed }, { nodes, topology: topologies[topology], encode: true, subject })
  world.grow(nodes, { gapMs: joinGapMs })
  return world
}

/** Between one node's coming and the next: joins overlap, as they do in life, and do not pile up. Our guess. */
const joinGapMs = 250
