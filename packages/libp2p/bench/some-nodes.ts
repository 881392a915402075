import { overlay, past } from '../src/index.ts'
import { localNode } from '../test/support/swarm.ts'
import { pastry } from '@plaxton/pastry'
import { tapestry } from '@plaxton/tapestry'
import type { Libp2p } from 'libp2p'
import type { OverlayService, PastService } from '../src/index.ts'

/** The nodes of one process of a bench. Started by itself, this file hosts some for the process that forked it, until it is killed. */

export type BenchNode = Libp2p<{ overlay: OverlayService; past: PastService }>

/** What a forked process hosts, as it says itself once all its nodes are members. */
export interface Hosted {
  readonly ids: readonly string[]
  readonly addresses: readonly string[]
}

const overlays = { pastry, tapestry }
type OverlayName = keyof typeof overlays

export function overlayNamed(name: string): OverlayName {
  if (!Object.hasOwn(overlays, name)) throw new Error(`there is no overlay ${name}, only ${Object.keys(overlays).join(' and ')}`)
  return name as OverlayName
}

/** Starts `count` members one after the other; each knows `bootstrap` and its predecessors here. */
export async function startNodes(count: number, name: OverlayName, bootstrap: readonly string[]): Promise<BenchNode[]> {
  const nodes: BenchNode[] = []
  for (let i = 0; i < count; i++) {
    const known = [...bootstrap, ...nodes.flatMap((node) => node.getMultiaddrs().map(String))]
    const services = { overlay: overlay(overlays[name](), { network: 'bench', bootstrap: known }), past: past() }
    const node = (await localNode({ services: services as never })) as unknown as BenchNode
    await node.services.overlay.whenReady({ timeoutMs: 60_000 })
    nodes.push(node)
  }
  return nodes
}

if (process.send !== undefined && import.meta.filename === process.argv[1]) {
  const [count, name, ...bootstrap] = process.argv.slice(2)
  const nodes = await startNodes(Number(count), overlayNamed(name ?? ''), bootstrap)
  const hosted: Hosted = {
    ids: nodes.map((node) => node.services.overlay.self.id),
    addresses: nodes.flatMap((node) => node.getMultiaddrs().map(String)),
  }
  process.send(hosted)
  // Whoever forked this has ended without ending it.
  process.on('disconnect', () => process.exit())
}
