import { guidIn } from './arguments.ts'
import { viewOf, whenReady } from './context.ts'
import type { Call } from '../../control/server.ts'
import type { LookupResult, PeersResult, StatusResult } from '../../control/protocol.ts'
import type { Context } from './context.ts'

/** `peers`: who is next to this node in the id space, and whom it is connected with. */
export async function peers({ node }: Context): Promise<PeersResult> {
  const { overlay, libp2p } = node
  return {
    self: viewOf(overlay.self),
    neighbors: node.neighbors.map((ref) => ({ ...viewOf(ref), roundTripMs: overlay.roundTripMs(ref) ?? null })),
    connections: libp2p.getConnections().map(({ remotePeer, remoteAddr, direction, timeline }) => ({
      peer: remotePeer.toString(),
      address: remoteAddr.toString(),
      direction,
      openMs: Date.now() - timeline.open,
    })),
  }
}

/** `lookup`: walks to the root of a key. */
export async function lookup(context: Context, call: Call): Promise<LookupResult> {
  await whenReady(context, call.signal)
  const key = guidIn(call.arguments, 'key')
  const { self, hops, path, closest, elapsedMs } = await context.node.overlay.lookup(key, { keepPath: true, signal: call.signal })
  return { key, root: viewOf(self), hops, path, closest: closest.map(viewOf), elapsedMs }
}

/** `status`: how this node is; answered also while it joins. */
export async function status({ node, catalog, objects: location, config, version }: Context): Promise<StatusResult> {
  const { overlay, past, libp2p } = node
  const { routing, link, framesIn, framesOut, bytesIn, bytesOut, framesGarbled, faults } = overlay.stats()
  const { objects, bytes, tombstones, garbage } = past.stats()
  return {
    version,
    pid: process.pid,
    uptimeMs: Math.round(process.uptime() * 1000),
    ready: overlay.ready,
    id: overlay.self.id,
    peerId: libp2p.peerId.toString(),
    addresses: node.multiaddrs,
    network: config.network,
    overlay: config.overlay.name,
    data: config.data,
    nodes: past.statsOfNodes().map((held, index) => {
      const { self, ready } = overlay.nodes[index]!
      return { id: self.id, ready, objects: held.objects, bytes: held.bytes }
    }),
    objects,
    bytes,
    tombstones,
    catalog: catalog.size,
    ...location.counts,
    neighbors: node.neighbors.length,
    connections: libp2p.getConnections().length,
    counters: {
      framesIn,
      framesOut,
      bytesIn,
      bytesOut,
      framesGarbled: framesGarbled + garbage,
      forwarded: routing.forwarded,
      delivered: routing.delivered,
      rerouted: routing.rerouted,
      timeouts: routing.timeouts,
      dials: link.dials,
      dialsFailed: link.dialsFailed,
      faults,
    },
  }
}
