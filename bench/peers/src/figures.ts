/** What is measured in one run, in the order of the tables. */
export interface Figure {
  readonly key: string
  readonly title: string
  readonly unit: string
  /** Which way is better; undefined when neither is. */
  readonly better?: 'less' | 'more'
}

/** Calls under way at once, where rates are measured. 16 is what peers publish. */
export const concurrencies = [1, 8, 16, 64] as const

/** Shares of the nodes that are dead, one after the other, when everything is read again. */
export const deadShares = [0.2, 0.5] as const

export const figures: readonly Figure[] = [
  { key: 'joined', title: 'all nodes call themselves ready', unit: 'ms', better: 'less' },
  { key: 'settled', title: 'settled: what node 0 puts is read by five others', unit: 'ms', better: 'less' },
  { key: 'connections', title: 'connections', unit: '' },
  { key: 'rss', title: 'memory per node, settled', unit: 'MiB', better: 'less' },
  { key: 'rssAfter', title: 'memory per node, after the work', unit: 'MiB', better: 'less' },
  { key: 'idle', title: 'processor per node at rest', unit: '% of a core', better: 'less' },
  ...['put', 'get', 'provide', 'find'].flatMap((call): Figure[] => [
    { key: `${call}P50`, title: `${call}, median`, unit: 'ms', better: 'less' },
    { key: `${call}P99`, title: `${call}, 99th percentile`, unit: 'ms', better: 'less' },
    { key: `${call}Cpu`, title: `${call}, processor time of all nodes`, unit: 'ms', better: 'less' },
    { key: `${call}Done`, title: `${call}, done`, unit: '%', better: 'more' },
  ]),
  ...['put', 'get'].flatMap((call) =>
    concurrencies.map((n): Figure => ({ key: `${call}s${n}`, title: `${call}s, ${n} at once`, unit: '/s', better: 'more' })),
  ),
  { key: 'added', title: 'a new node, until its first get is answered', unit: 'ms', better: 'less' },
  ...deadShares.flatMap((share): Figure[] => {
    const dead = `${100 * share} % dead`
    const key = `dead${100 * share}`
    return [
      { key: `${key}Done`, title: `${dead}: objects read`, unit: '%', better: 'more' },
      { key: `${key}P50`, title: `${dead}: get, median`, unit: 'ms', better: 'less' },
      { key: `${key}P99`, title: `${dead}: get, 99th percentile`, unit: 'ms', better: 'less' },
    ]
  }),
]

/** The figures of one run by key. One that could not be taken is missing. */
export type Figures = Readonly<Record<string, number>>

/** One run of one system, as its process reports it. */
export interface RunResult {
  readonly system: string
  readonly nodes: number
  readonly seed: number
  readonly figures: Figures
  /** The first few errors, to be looked into. */
  readonly errors: readonly string[]
}
