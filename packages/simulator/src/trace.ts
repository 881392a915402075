import type { Millis } from '@plaxton/kbr'

/**
 * A rolling hash over every input that was delivered: when, to whom, what kind, which type, how large. Two runs with the same hash had
 * the same history; it is the proof that a seed repeats. 64 bits, in two lanes of MurmurHash3's mixing. Not for adversaries.
 */
export class Trace {
  /** Inputs taken in. */
  length = 0
  private high = 0x9e3779b9 | 0
  private low = 0x85ebca6b | 0

  add(time: Millis, node: number, kind: number, type: number, size: number): void {
    this.length++
    this.mix(time)
    this.mix(node * 8 + kind)
    this.mix(type)
    this.mix(size)
  }

  /** 16 hex characters. */
  get hash(): string {
    return (this.high >>> 0).toString(16).padStart(8, '0') + (this.low >>> 0).toString(16).padStart(8, '0')
  }

  private mix(value: number): void {
    const word = Math.imul(value, 0xcc9e2d51)
    const high = this.high ^ ((word << 15) | (word >>> 17))
    this.high = (Math.imul((high << 13) | (high >>> 19), 5) + 0xe6546b64) | 0
    const low = this.low ^ Math.imul(value ^ this.high, 0x1b873593)
    this.low = (Math.imul((low << 11) | (low >>> 21), 9) + 0x52dce729) | 0
  }
}
