import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import { Probing, Proximity } from '@plaxton/upkeep'
import type { CanConfig } from './config.ts'
import { send } from './messages.ts'

/** Where nodes are kept by their ids. */
export interface Table {
  find(id: Guid): NodeRef | undefined
}

/** What a node has once, in however many realities it owns zones: measured distances, and who is being probed. So a peer is asked once whether it lives. */
export class Common {
  readonly proximity: Proximity
  readonly probing: Probing
  /** One for each reality, and that of the twins. */
  private readonly tables: Table[] = []
  private lastSeq = 0

  constructor(config: CanConfig) {
    this.proximity = new Proximity(config.proximityMax)
    this.probing = new Probing({
      config,
      proximity: this.proximity,
      nextSeq: () => this.nextSeq(),
      find: (id) => this.find(id),
      ping: (to, seq, fx) => send(to, { type: 'ping', seq }, fx),
    })
  }

  /** A number no other ping, token or search of this node has. */
  nextSeq(): number {
    return ++this.lastSeq
  }

  /** The nodes in this table count as known from now on. */
  add(table: Table): void {
    this.tables.push(table)
  }

  find(id: Guid): NodeRef | undefined {
    for (const table of this.tables) {
      const found = table.find(id)
      if (found !== undefined) return found
    }
    return undefined
  }
}
