/**
 * Applies `work` to the items of `source`, at most `width` at a time, and yields the results in the order of the items. Reads no further
 * ahead than that, so a slow consumer slows the source. The first failure ends it; work begun before it is left to finish by itself.
 */
export async function* mapParallel<T, R>(
  source: Iterable<T> | AsyncIterable<T>,
  width: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const underWay: Array<Promise<R>> = []
  for await (const item of source) {
    const result = work(item)
    // It is awaited when its turn comes; failing before that is no unhandled rejection.
    result.catch(() => {})
    underWay.push(result)
    if (underWay.length >= width) yield await underWay.shift()!
  }
  for (const result of underWay) yield await result
}

/** Applies `work` to all of `items`, at most `width` at a time. Rejects with the first failure and begins nothing after it. */
export async function eachParallel<T>(items: Iterable<T>, width: number, work: (item: T) => Promise<unknown>): Promise<void> {
  const rest = items[Symbol.iterator]()
  let failed = false
  const worker = async (): Promise<void> => {
    for (let next = rest.next(); next.done !== true && !failed; next = rest.next()) {
      try {
        await work(next.value)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: width }, worker))
}
