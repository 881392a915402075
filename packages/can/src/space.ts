import type { Zone } from './zone.ts'

/** A zone or a point as the geometry sees it: from `low` up to but not including `high`, in cells, by dimension. */
export interface Box {
  readonly low: readonly number[]
  readonly high: readonly number[]
}

/** Zones whose boxes are remembered unless told otherwise: those that one node hears of. Full: all are forgotten and worked out again. */
const nodesBoxes = 4_096

/** Squares of distances along a dimension, added up over all dimensions, must be exact in a double. */
const cellBitsMax = 24

/**
 * The torus [0, 1)^d on which zones abut and messages travel. Coordinates are whole numbers of cells, so that nothing depends on rounding; zones are not halved below a
 * cell.
 */
export class Space {
  readonly dimensions: number
  /** Bits of a coordinate. */
  readonly cellBits: number
  /** Halvings of the smallest zone. */
  readonly maxDepth: number
  private readonly cells: number
  private readonly boxes = new Map<Zone, Box>()
  private readonly boxesMax: number

  constructor(dimensions: number, idBits: number, boxesMax: number = nodesBoxes) {
    this.dimensions = dimensions
    this.boxesMax = boxesMax
    this.cellBits = Math.min(cellBitsMax, Math.floor(idBits / dimensions))
    this.maxDepth = this.cellBits * dimensions
    this.cells = 2 ** this.cellBits
  }

  boxOf(zone: Zone): Box {
    const known = this.boxes.get(zone)
    if (known !== undefined) return known
    if (this.boxes.size >= this.boxesMax) this.boxes.clear()
    const low = new Array<number>(this.dimensions).fill(0)
    const high = new Array<number>(this.dimensions).fill(this.cells)
    for (let i = 0; i < zone.length; i++) {
      const dimension = i % this.dimensions
      const middle = (low[dimension]! + high[dimension]!) / 2
      if (zone[i] === '0') high[dimension] = middle
      else low[dimension] = middle
    }
    const box = { low, high }
    this.boxes.set(zone, box)
    return box
  }

  /** The cell in which the key with these bits lies, by dimension. */
  pointOf(bits: string): number[] {
    const point: number[] = []
    for (let dimension = 0; dimension < this.dimensions; dimension++) {
      let cell = 0
      for (let i = dimension; i < this.maxDepth; i += this.dimensions) cell = 2 * cell + (bits[i] === '1' ? 1 : 0)
      point.push(cell)
    }
    return point
  }

  /** Square of the distance on the torus from a point to the nearest cell of a zone; 0 within it. */
  distance2(point: readonly number[], zone: Zone): number {
    const { low, high } = this.boxOf(zone)
    let sum = 0
    for (let i = 0; i < this.dimensions; i++) sum += this.gap(point[i]!, low[i]!, high[i]!) ** 2
    return sum
  }

  /**
   * How far it is from a zone to a point in hops rather than in cells: the sides of `here`, the zone of who asks, are the measure along each dimension, and a dimension along which the point lies outside
   * costs one hop at least, however narrow the gap. In many dimensions each is halved once or twice, and gaps tell nothing.
   */
  hopsLeft(point: readonly number[], zone: Zone, here: Zone): number {
    const { low, high } = this.boxOf(zone)
    const side = this.boxOf(here)
    let sum = 0
    for (let i = 0; i < this.dimensions; i++) {
      const gap = this.gap(point[i]!, low[i]!, high[i]!)
      if (gap > 0) sum += Math.max(1, gap / (side.high[i]! - side.low[i]!)) ** 2
    }
    return Math.sqrt(sum)
  }

  /** Whether two zones are neighbours: their spans overlap along all dimensions but one, and along that one they abut (§2). */
  abut(a: Zone, b: Zone): boolean {
    const [one, other] = [this.boxOf(a), this.boxOf(b)]
    let apart = 0
    for (let i = 0; i < this.dimensions; i++) {
      const [aLow, aHigh, bLow, bHigh] = [one.low[i]!, one.high[i]!, other.low[i]!, other.high[i]!]
      if (aLow < bHigh && bLow < aHigh) continue
      if (aHigh % this.cells !== bLow && bHigh % this.cells !== aLow) return false
      if (++apart > 1) return false
    }
    return apart === 1
  }

  /** Cells from `at` to the nearest from `low` up to but not including `high`, one way or the other around the torus. */
  private gap(at: number, low: number, high: number): number {
    if (at >= low && at < high) return 0
    const upward = at < low ? low - at : low - at + this.cells
    const downward = at >= high ? at - high + 1 : at - high + 1 + this.cells
    return Math.min(upward, downward)
  }
}
