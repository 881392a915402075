import { can } from '@plaxton/can'
import { chord } from '@plaxton/chord'
import { kademlia } from '@plaxton/kademlia'
import { pastry } from '@plaxton/pastry'
import { tapestry } from '@plaxton/tapestry'
import { replicas } from './system.ts'
import { bittorrentDht } from './systems/bittorrent-dht.ts'
import { hyperdht } from './systems/hyperdht.ts'
import { kadDht } from './systems/kad-dht.ts'
import { plaxtonMemory } from './systems/plaxton-memory.ts'
import { plaxtonTcp } from './systems/plaxton-tcp.ts'
import type { OverlayFactory } from '@plaxton/kbr'
import type { System } from './system.ts'

const overlays: Readonly<Record<string, () => OverlayFactory>> = { pastry, tapestry, chord, can, kademlia }

/** The system that ratios are taken to. */
export const ours = 'pastry'

/** Everything that can be measured. A number behind a rival's name is the number of copies it keeps unless told otherwise. */
export const systems: readonly System[] = [
  ...Object.entries(overlays).map(([name, factory]) => plaxtonTcp(name, factory)),
  ...Object.entries(overlays).map(([name, factory]) => plaxtonMemory(`${name}-memory`, factory)),
  kadDht('kad-dht', replicas),
  kadDht('kad-dht-20', 20),
  hyperdht,
  bittorrentDht('bittorrent-dht', replicas),
  bittorrentDht('bittorrent-dht-20', 20),
]
