/**
 * A seeded generator of pseudo-random numbers. Each node and each concern (latency, loss, churn, workload) takes a fork of
 * its own, so that one more draw in one place leaves all others as they were.
 *
 * sfc32 by Chris Doty-Humphrey (PractRand), 128 bits of state, passes PractRand and TestU01's BigCrush. Not for keys or
 * secrets: drivers take those from the platform.
 */
export class Prng {
  private a: number
  private b: number
  private c: number
  private counter: number

  private constructor(a: number, b: number, c: number) {
    this.a = a | 0
    this.b = b | 0
    this.c = c | 0
    this.counter = 1
    // The reference implementation discards the first 15 outputs so that every seed bit has reached every state word.
    for (let i = 0; i < 15; i++) this.nextUint32()
  }

  /** The generator of this seed: any number or text. Different seeds give unrelated sequences. */
  static fromSeed(seed: number | string): Prng {
    const text = String(seed)
    return new Prng(hashText(text, 0x9e3779b9), hashText(text, 0x85ebca6b), hashText(text, 0xc2b2ae35))
  }

  /** A child whose sequence is fixed by this generator's state and independent of what either draws later. Advances this one. */
  fork(): Prng {
    return new Prng(this.nextUint32(), this.nextUint32(), this.nextUint32())
  }

  /** Uniform over 0 … 2^32 - 1. */
  nextUint32(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** Uniform over the multiples of 2^-53 in [0, 1). */
  nextFloat(): number {
    return ((this.nextUint32() >>> 5) * 67108864 + (this.nextUint32() >>> 6)) / 9007199254740992
  }

  /** Uniform over 0 … n - 1; `n` is a whole number from 1 to 2^32. Unbiased. */
  nextInt(n: number): number {
    const limit = 4294967296 - (4294967296 % n)
    let draw = this.nextUint32()
    while (draw >= limit) draw = this.nextUint32()
    return draw % n
  }

  /** True with probability `p`. */
  chance(p: number): boolean {
    return this.nextFloat() < p
  }

  /** One of `items`, each equally likely; undefined when there is none. */
  pick<T>(items: readonly T[]): T | undefined {
    return items.length === 0 ? undefined : items[this.nextInt(items.length)]
  }

  /** A new array with `items` in random order, each order equally likely (Fisher and Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items]
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.nextInt(i + 1)
      const item = shuffled[i] as T
      shuffled[i] = shuffled[j] as T
      shuffled[j] = item
    }
    return shuffled
  }

  /** `ms` spread evenly over ±`share` of itself, whole: keeps periodic work of many nodes apart. `share` in [0, 1]. */
  jitter(ms: number, share: number): number {
    return Math.max(0, Math.round(ms * (1 + share * (2 * this.nextFloat() - 1))))
  }

  /** Exponentially distributed with this mean; > 0. */
  nextExponential(mean: number): number {
    return -Math.log(1 - this.nextFloat()) * mean
  }
}

/** 32 bits of a text: MurmurHash3's mixing, one UTF-16 unit at a time. */
function hashText(text: string, salt: number): number {
  let hash = salt
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0xcc9e2d51)
    hash = (hash << 13) | (hash >>> 19)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
