import { Space } from '@plaxton/can'
import type { Zone } from '@plaxton/can'
import { assert } from '@plaxton/kbr'

/** How zones are split. */
export interface ZoneMapOptions {
  readonly dimensions: number
  /** The largest zone among the owner's and its neighbours' is split (SIGCOMM 2001, §3.7). Default false. */
  readonly uniform?: boolean
  /** Nodes to a zone before it is split (§3.4). Default 1. */
  readonly peersPerZone?: number
}

/** One zone with those who own it. */
interface Cell {
  zone: Zone
  readonly owners: number[]
  readonly neighbors: Set<Cell>
}

type Tree = Cell | [Tree, Tree]

/**
 * The tiling that joins alone produce, by the protocol's split rule: the owner of the joiner's point, or its largest neighbour, gives up one half. Neighbours follow from the splits, as in the
 * protocol: those of a half are among those of the whole. Nodes are numbers that the caller chose.
 */
export class ZoneMap {
  private readonly options: ZoneMapOptions
  private readonly space: Space
  private tree: Tree | undefined = undefined
  private readonly cells = new Map<number, Cell>()

  constructor(options: ZoneMapOptions) {
    this.options = options
    this.space = new Space(options.dimensions, 256, boxesMax)
  }

  /** A node with a point of these bits joins. */
  join(node: number, bits: string): void {
    const { uniform = false, peersPerZone = 1 } = this.options
    if (this.tree === undefined) {
      const cell: Cell = { zone: '' as Zone, owners: [node], neighbors: new Set() }
      this.tree = cell
      this.cells.set(node, cell)
      return
    }
    let cell = this.cellAt(bits)
    if (uniform) for (const other of cell.neighbors) if (other.zone.length < cell.zone.length) cell = other
    if (cell.owners.length < peersPerZone) {
      cell.owners.push(node)
      this.cells.set(node, cell)
    } else this.split(cell, node, bits)
  }

  ownerOf(bits: string): number {
    return this.cellAt(bits).owners[0]!
  }

  ownersOf(bits: string): readonly number[] {
    return this.cellAt(bits).owners
  }

  zoneOf(node: number): Zone {
    return this.cells.get(node)!.zone
  }

  /** All who share a zone with it, itself included. */
  peersOf(node: number): readonly number[] {
    return this.cells.get(node)!.owners
  }

  /** The first owner of each neighbouring zone. */
  neighborsOf(node: number): number[] {
    return [...this.cells.get(node)!.neighbors].map(({ owners }) => owners[0]!)
  }

  /** The neighbouring zones, each with all its owners. */
  neighborZonesOf(node: number): Array<{ readonly zone: Zone; readonly owners: readonly number[] }> {
    return [...this.cells.get(node)!.neighbors]
  }

  /** Each zone once, with the number of its owners. */
  zones(): Zone[] {
    return [...new Set(this.cells.values())].map(({ zone }) => zone)
  }

  /** Hops from a node to a random point by the shortest ways through neighbouring zones, on average: what no routing can better. */
  fewestHopsFrom(node: number): number {
    const seen = new Set([this.cells.get(node)!])
    let mean = 0
    let ring = [...seen]
    for (let hops = 0; ring.length > 0; hops++) {
      for (const { zone } of ring) mean += hops * 2 ** -zone.length
      const next: Cell[] = []
      for (const { neighbors } of ring) {
        for (const neighbor of neighbors) {
          if (seen.has(neighbor)) continue
          seen.add(neighbor)
          next.push(neighbor)
        }
      }
      ring = next
    }
    return mean
  }

  private cellAt(bits: string): Cell {
    let tree = this.tree
    assert(tree !== undefined, 'somebody has joined')
    for (let depth = 0; Array.isArray(tree); depth++) tree = tree[bits[depth] === '1' ? 1 : 0]
    return tree
  }

  /** Half of the owners go with either half; the joiner with the half of its point, if the point is there. */
  private split(cell: Cell, node: number, bits: string): void {
    const whole = cell.zone
    const joinsUpper = !bits.startsWith(whole) || bits[whole.length] === '1'
    const [kept, given] = joinsUpper ? ['0', '1'] : ['1', '0']
    const moved = cell.owners.splice(Math.ceil(cell.owners.length / 2))
    cell.zone = (whole + kept) as Zone
    const half: Cell = { zone: (whole + given) as Zone, owners: [node, ...moved], neighbors: new Set([cell]) }
    for (const owner of half.owners) this.cells.set(owner, half)
    for (const other of [...cell.neighbors]) {
      if (this.space.abut(half.zone, other.zone)) {
        half.neighbors.add(other)
        other.neighbors.add(half)
      }
      if (this.space.abut(cell.zone, other.zone)) continue
      cell.neighbors.delete(other)
      other.neighbors.delete(cell)
    }
    cell.neighbors.add(half)
    this.plant(whole, joinsUpper ? [cell, half] : [half, cell])
  }

  private plant(zone: Zone, branch: Tree): void {
    if (zone === '') {
      this.tree = branch
      return
    }
    let tree = this.tree as [Tree, Tree]
    for (let depth = 0; depth < zone.length - 1; depth++) tree = tree[zone[depth] === '1' ? 1 : 0] as [Tree, Tree]
    tree[zone.endsWith('1') ? 1 : 0] = branch
  }
}

/** Of the largest networks here, all zones and those split before. */
const boxesMax = 2 ** 20
