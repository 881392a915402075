/** A map that holds the `max` entries written last. Full: the one written first goes. */
export class BoundedMap<Key, Value> {
  private readonly entries = new Map<Key, Value>()
  private readonly max: number

  constructor(max: number) {
    this.max = max
  }

  get(key: Key): Value | undefined {
    return this.entries.get(key)
  }

  set(key: Key, value: Value): void {
    this.entries.delete(key)
    this.entries.set(key, value)
    if (this.entries.size <= this.max) return
    for (const first of this.entries.keys()) {
      this.entries.delete(first)
      break
    }
  }

  delete(key: Key): boolean {
    return this.entries.delete(key)
  }

  clear(): void {
    this.entries.clear()
  }
}
