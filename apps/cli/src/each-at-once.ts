/**
 * Applies `work` to all items, at most `width` at a time, and reads `items` no further ahead. Rejects with the first failure, of the work or
 * of the items, and begins nothing after it. Further failures of what was under way then are those of a call that has ended.
 */
export async function eachAtOnce<T>(
  items: Iterable<T> | AsyncIterable<T>,
  width: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const rest = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
  let failed = false
  const worker = async (): Promise<void> => {
    try {
      for (let next = await rest.next(); next.done !== true && !failed; next = await rest.next()) await work(next.value)
    } catch (error) {
      failed = true
      throw error
    }
  }
  await Promise.all(Array.from({ length: width }, worker))
}
