// Run by exit.spec.ts: stores at one node, reads at another, sends to an object, stops both, and must then end without being told to.

import { guidOf } from '@plaxton/guid'
import { pastry } from '@plaxton/pastry'
import { dolr, overlay, past } from '../../src/index.ts'
import { localNode } from './swarm.ts'
import type { Libp2p } from 'libp2p'
import type { DolrService, OverlayService, PastService } from '../../src/index.ts'

type Node = Libp2p<{ overlay: OverlayService; past: PastService; dolr: DolrService }>

const a = (await localNode({ services: { overlay: overlay(pastry()), past: past(), dolr: dolr() } as never })) as unknown as Node
const bootstrap = a.getMultiaddrs()
const b = (await localNode({
  services: { overlay: overlay(pastry(), { bootstrap }), past: past(), dolr: dolr() } as never,
})) as unknown as Node

const bytes = new Uint8Array(100_000).fill(9)
await a.services.past.put(guidOf(bytes), bytes)
const got = await b.services.past.get(guidOf(bytes))
if (guidOf(got) === guidOf(bytes)) console.log('read back')
const object = guidOf(Uint8Array.of(1))
await a.services.dolr.host(object, (message) => message)
if ((await b.services.dolr.sendToObj(got, object)).length === bytes.length) console.log('answered')
await Promise.all([a.stop(), b.stop()])
console.log('stopped')
