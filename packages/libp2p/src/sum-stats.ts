/** Field by field the sum of records of numbers of one shape, such as the counters of several nodes. */
export function sumStats<T extends object>(stats: readonly [T, ...T[]]): T {
  const [first] = stats
  const sums = Object.entries(first).map(([field, value]) => {
    const values = stats.map((each) => each[field as keyof T])
    return [field, typeof value === 'number' ? sum(values as number[]) : sumStats(values as unknown as [object, ...object[]])] as const
  })
  return Object.fromEntries(sums) as T
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
