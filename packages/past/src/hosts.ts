import type { Guid } from '@plaxton/guid'
import { sameNode } from '@plaxton/kbr'
import type { AppEffects, NodeRef } from '@plaxton/kbr'

/**
 * Where copies belong when several nodes may run on one host: each copy on another host, or a host that fails takes several with it.
 *
 * The overlay puts all nodes in one order for each guid, the root first. Of each host, only the first node in that order counts. So hosts are in one
 * order as well, the one in which their first nodes stand; a host that fails as a whole leaves the others in their order, and nodes that agree about the
 * overlay's order agree about this one. With one node on each host it is the overlay's replica set.
 */

/** The first `count` nodes on different hosts, the root first. Shorter than asked when this node sees no more hosts or, unless it is the root, cannot be certain of the order. */
export function replicaSet(guid: Guid, count: number, fx: AppEffects): NodeRef[] {
  if (fx.hostOf === undefined) return fx.replicaSet(guid, count)
  const seen = new Set<string>()
  const firsts: NodeRef[] = []
  for (const node of nodesAround(guid, count, fx)) {
    const host = hostOf(node, fx)
    if (seen.has(host)) continue
    seen.add(host)
    firsts.push(node)
  }
  return firsts
}

/**
 * As many nodes in the overlay's order as it takes to name `count` hosts: whoever may hold a copy, whatever nodes came and went on its host.
 *
 * Where these are more than this node can be certain of and it is the root, its neighbours follow, the nearest first: somebody has to say which host has the last copy, and the
 * others ask the root.
 */
export function nodesAround(guid: Guid, count: number, fx: AppEffects): NodeRef[] {
  if (fx.hostOf === undefined) return fx.replicaSet(guid, count)
  for (let reach = count; ; reach *= 2) {
    const order = fx.replicaSet(guid, reach)
    const end = endOfHosts(order, count, fx)
    if (end !== undefined) return order.slice(0, end)
    if (order.length === reach) continue
    const [root] = order
    if (root === undefined || !sameNode(root, fx.self)) return order
    const further = fx.neighborSet(maxNeighbors).filter((node) => !order.some((other) => sameNode(other, node)))
    const known = [...order, ...further]
    return known.slice(0, endOfHosts(known, count, fx))
  }
}

export function isNeighbor(node: NodeRef, fx: AppEffects): boolean {
  return fx.neighborSet(maxNeighbors).some((other) => sameNode(other, node))
}

/** True when a node of this node's own host is in the set, this one or another: then what belongs on this host belongs there. */
export function includesOwnHost(set: readonly NodeRef[], fx: AppEffects): boolean {
  return includesHostOf(fx.self, set, fx)
}

/** True when there are hosts besides those of the replica set `set`, or may be: not the network is so small, but this node's view. */
export function isCutShort(guid: Guid, set: readonly NodeRef[], fx: AppEffects): boolean {
  const neighbors = fx.neighborSet(maxNeighbors)
  if ([fx.self, ...neighbors].some((node) => !includesHostOf(node, set, fx))) return true
  return fx.hostOf !== undefined && fx.replicaSet(guid, maxNeighbors).length <= neighbors.length
}

function includesHostOf(node: NodeRef, set: readonly NodeRef[], fx: AppEffects): boolean {
  return set.some((other) => sameNode(other, node)) || set.some((other) => hostOf(other, fx) === hostOf(node, fx))
}

/** Where in the order the last of the first `count` hosts stands, plus one; undefined when there are not so many. */
function endOfHosts(order: readonly NodeRef[], count: number, fx: AppEffects): number | undefined {
  if (count === 0) return 0
  const hosts = new Set<string>()
  for (const [i, node] of order.entries()) if (hosts.add(hostOf(node, fx)).size === count) return i + 1
  return undefined
}

function hostOf(node: NodeRef, fx: AppEffects): string {
  return fx.hostOf?.(node) ?? node.id
}

/** More neighbours than any overlay has. */
const maxNeighbors = 1024
