import type { Guid } from '@plaxton/guid'
import { IdealTables } from './ideal-tables.ts'
import type { IdealRoute } from './ideal-tables.ts'

/** Where a message to an object got, and how. */
export interface IdealFind extends IdealRoute {
  /** The node that held a pointer, and the server it chose. */
  readonly pointerAt: Guid
  readonly server: Guid
  /** All that node knew. */
  readonly servers: readonly Guid[]
}

/**
 * Pointers beyond those on the publish path (JSAC 2004, §V-B3): on the first `hops` nodes of the path, also at the `backups` next candidates for the next hop and at the
 * `nearest` nodes round about: on hop i of those that share i digits with the node there, which the ways of searches can pass. The paper's k, l, m.
 */
export interface ExtraPointers {
  readonly backups: number
  readonly nearest: number
  readonly hops: number
}

export const noExtraPointers: ExtraPointers = { backups: 0, nearest: 0, hops: 0 }

/**
 * Tapestry as it could at best be, with hexadecimal digits: every slot of every neighbour map holds the nearest of all nodes that qualify, no slot is empty that
 * could be filled, and every pointer is where it belongs. No message is sent.
 */
export class IdealTapestry extends IdealTables {
  /** By guid: which servers each node, by position, has a pointer to. */
  private readonly pointers = new Map<Guid, Map<number, Set<number>>>()
  /** By `<position>/<prefix>`: others with the prefix, the nearest first. */
  private readonly neighbors = new Map<string, readonly number[]>()

  /** The nodes that a message for `key` passes: surrogate routing (JSAC 2004, §III-A, fig. 3). */
  protected override path(from: number, key: Guid): number[] {
    const path = [from]
    let at = from
    for (let level = 0; ; level++) {
      const own = this.places[at]!.id
      if (this.count(own.slice(0, level)) === 1) return path
      const next = this.atLevel(at, key, level)
      if (next !== at) path.push(next)
      at = next
    }
  }

  /** Puts pointers to this server on the way to the root of `guid`, and the extra ones. Returns how many the extra ones are. */
  publish(server: Guid, guid: Guid, extra: ExtraPointers = noExtraPointers): number {
    const holders = this.pointers.get(guid) ?? new Map<number, Set<number>>()
    this.pointers.set(guid, holders)
    const from = this.lowerBound(server)
    const path = this.path(from, guid)
    const more = path.slice(0, extra.hops).flatMap((at, i) => this.extraHolders(at, i, path[i + 1], extra))
    for (const at of [...path, ...more]) {
      const servers = holders.get(at) ?? new Set()
      holders.set(at, servers.add(from))
    }
    return new Set(more.filter((at) => !path.includes(at))).size
  }

  /** The way of a message to `guid`: towards the root, and from the first node with a pointer straight to the nearest server it names; undefined: none. */
  find(client: Guid, guid: Guid): IdealFind | undefined {
    const holders = this.pointers.get(guid)
    const path = this.path(this.lowerBound(client), guid)
    const index = path.findIndex((at) => holders?.has(at))
    if (index < 0) return undefined
    const at = path[index]!
    const servers = [...holders!.get(at)!]
    const server = servers.reduce((best, other) => (this.distance(at, other) < this.distance(at, best) ? other : best))
    return {
      pointerAt: this.places[at]!.id,
      server: this.places[server]!.id,
      servers: servers.map((position) => this.places[position]!.id),
      hops: index + (server === at ? 0 : 1),
      distance: this.length(path.slice(0, index + 1)) + this.distance(at, server),
    }
  }

  /** Where a message at this position goes that has `level` digits resolved; the position itself when it resolves the next one too. */
  private atLevel(at: number, key: Guid, level: number): number {
    const own = this.places[at]!.id
    const wanted = parseInt(key[level]!, 16)
    for (let i = 0; ; i++) {
      const digit = ((wanted + i) % 16).toString(16)
      if (digit === own[level]) return at
      const entry = this.nearest(at, own.slice(0, level) + digit)
      if (entry >= 0) return entry
    }
  }

  private extraHolders(at: number, hop: number, next: number | undefined, { backups, nearest }: ExtraPointers): number[] {
    const own = this.places[at]!.id
    const slot =
      next === undefined ? [] : this.nearestWith(at, this.places[next]!.id.slice(0, commonPrefix(own, this.places[next]!.id) + 1))
    return [...slot.filter((position) => position !== next).slice(0, backups), ...this.nearestWith(at, own.slice(0, hop)).slice(0, nearest)]
  }

  /** All others with this prefix, the nearest to `at` first. */
  private nearestWith(at: number, prefix: string): readonly number[] {
    const name = `${at}/${prefix}`
    const known = this.neighbors.get(name)
    if (known !== undefined) return known
    const others = [...this.withPrefix(prefix)].filter((position) => position !== at)
    others.sort((a, b) => this.distance(at, a) - this.distance(at, b))
    this.neighbors.set(name, others)
    return others
  }

  private count(prefix: string): number {
    return this.lowerBound(`${prefix}g`) - this.lowerBound(prefix)
  }
}

function commonPrefix(a: string, b: string): number {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return length
}
