/**
 * How many values an object holds, in maps, sets, arrays and fields, however deep: a measure of what it remembers that needs no knowledge of what it
 * is. What functions enclose is not seen.
 */
export function weigh(root: object): number {
  const seen = new Set<object>([root])
  const open: object[] = [root]
  let weight = 0
  const look = (value: unknown): void => {
    weight++
    if (typeof value !== 'object' || value === null || seen.has(value)) return
    seen.add(value)
    open.push(value)
  }
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (ArrayBuffer.isView(next)) weight += next.byteLength / bytesPerValue
    else if (next instanceof Map) for (const entry of next) entry.forEach(look)
    else if (next instanceof Set) for (const value of next) look(value)
    else for (const value of Object.values(next)) look(value)
  }
  return Math.round(weight)
}

/** Bytes that count as one value. */
const bytesPerValue = 8
