import type { Guid } from '@plaxton/guid'

/** Where `key` stands in `sorted`, which is in ascending order, or would: the number of ids below it. */
export function position(sorted: readonly Guid[], key: Guid): number {
  return countBefore(sorted, (id) => id >= key)
}

/** How many of `sorted` come before the first of which `holds` is true; it is true of all that follow. */
export function countBefore(sorted: readonly Guid[], holds: (id: Guid) => boolean): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(sorted[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}
