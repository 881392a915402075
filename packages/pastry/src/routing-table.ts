import { digitAt, digitCount, sharedPrefixDigits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import type { NodeRef } from '@plaxton/kbr'

/** A row by column; the column of this node's own digit is always empty. */
type Row = Array<NodeRef | undefined>

/**
 * Pastry's routing table: row l, column d holds a node that shares exactly l digits with this one and whose digit l is d, the nearest
 * known. A slot takes a node only after direct contact. Rows exist from the first to the deepest that is in use; log_{2^b} N on average.
 */
export class RoutingTable {
  readonly self: NodeRef
  private readonly digitBits: number
  private rows: Row[] = []

  constructor(self: NodeRef, digitBits: number) {
    this.self = self
    this.digitBits = digitBits
  }

  /** Rows in use. */
  get depth(): number {
    return this.rows.length
  }

  /** The entry for messages to `key`: it shares one digit more with the key than this node does. Undefined for an empty slot and the own id. */
  towards(key: Guid): NodeRef | undefined {
    const row = sharedPrefixDigits(key, this.self.id, this.digitBits)
    return row < this.rows.length ? this.rows[row]![digitAt(key, row, this.digitBits)] : undefined
  }

  slot(row: number, column: number): NodeRef | undefined {
    return this.rows[row]?.[column]
  }

  get(id: Guid): NodeRef | undefined {
    const ref = this.towards(id)
    return ref !== undefined && ref.id === id ? ref : undefined
  }

  /** The row in which `id` would stand. Meaningless for the own id. */
  rowOf(id: Guid): number {
    return sharedPrefixDigits(id, this.self.id, this.digitBits)
  }

  columnOf(id: Guid): number {
    return digitAt(id, this.rowOf(id), this.digitBits)
  }

  put(ref: NodeRef): void {
    const row = this.rowOf(ref.id)
    while (this.rows.length <= row) this.rows = this.rows.concat([emptyRow(this.digitBits)])
    this.rows[row]![digitAt(ref.id, row, this.digitBits)] = ref
  }

  remove(id: Guid): boolean {
    if (this.get(id) === undefined) return false
    this.rows[this.rowOf(id)]![this.columnOf(id)] = undefined
    while (this.rows.length > 0 && !this.rows[this.rows.length - 1]!.some((ref) => ref !== undefined)) this.rows.pop()
    return true
  }

  /** The nodes of one row, by column; none when it is not in use. */
  row(row: number): NodeRef[] {
    return (this.rows[row] ?? []).filter((ref) => ref !== undefined)
  }

  /** All nodes, row by row. */
  entries(): NodeRef[] {
    return this.rows.flatMap((_, row) => this.row(row))
  }

  assertInvariants(): void {
    this.rows.forEach((slots, row) =>
      slots.forEach((ref, column) => {
        if (ref === undefined) return
        assert(row < digitCount(4 * this.self.id.length, this.digitBits), 'a routing table has no more rows than an id has digits')
        assert(ref.id !== this.self.id, 'a node is not in its own routing table')
        assert(this.rowOf(ref.id) === row, 'an entry shares as many digits as its row says')
        assert(this.columnOf(ref.id) === column, 'an entry stands in the column of its digit')
      }),
    )
  }
}

function emptyRow(digitBits: number): Row {
  return new Array<NodeRef | undefined>(2 ** digitBits).fill(undefined)
}
