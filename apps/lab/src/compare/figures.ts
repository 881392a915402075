/** How the values of a figure are written. */
export type FigureForm = 'count' | 'ratio' | 'share' | 'milliseconds' | 'seconds' | 'bytes'

export interface Figure {
  readonly title: string
  readonly form: FigureForm
  /** Figures of one group stand together. */
  readonly group: string
}

/** Everything that is tabulated, in this order. Names are part of the JSON that `compare --json` prints. */
export const figures = {
  hops: { group: 'Lookups at rest', title: 'hops, mean', form: 'ratio' },
  hopsP99: { group: 'Lookups at rest', title: 'hops, p99', form: 'count' },
  stretch: { group: 'Lookups at rest', title: 'stretch: way by direct way', form: 'ratio' },
  latencyP50: { group: 'Lookups at rest', title: 'time, median', form: 'milliseconds' },
  successAtRest: { group: 'Lookups at rest', title: 'arrived at the root', form: 'share' },
  state: { group: 'State', title: 'nodes in the tables of a node', form: 'ratio' },
  joinMessages: { group: 'One join', title: 'messages of all nodes', form: 'count' },
  joinBytes: { group: 'One join', title: 'bytes of all nodes', form: 'bytes' },
  joinTime: { group: 'One join', title: 'time until a member, median', form: 'milliseconds' },
  quietMessages: { group: 'Upkeep per node and second', title: 'messages in quiet', form: 'ratio' },
  quietBytes: { group: 'Upkeep per node and second', title: 'bytes in quiet', form: 'bytes' },
  churnMessages: { group: 'Upkeep per node and second', title: 'messages under churn', form: 'ratio' },
  churnBytes: { group: 'Upkeep per node and second', title: 'bytes under churn', form: 'bytes' },
  churnSuccess: { group: 'Lookups under churn', title: 'at the root within 10 s', form: 'share' },
  churnP50: { group: 'Lookups under churn', title: 'time, median', form: 'milliseconds' },
  churnP99: { group: 'Lookups under churn', title: 'time, p99', form: 'milliseconds' },
  keysP1: { group: 'Keys per node, 100 on average', title: 'p1', form: 'count' },
  keysP50: { group: 'Keys per node, 100 on average', title: 'p50', form: 'count' },
  keysP99: { group: 'Keys per node, 100 on average', title: 'p99', form: 'count' },
  keysMax: { group: 'Keys per node, 100 on average', title: 'max', form: 'count' },
  recoveryFirstMinute: { group: 'After a fifth died', title: 'at the root within 10 s, in the first minute', form: 'share' },
  recoveryLookups: { group: 'After a fifth died', title: 'time until all lookups are right', form: 'seconds' },
  recoveryTables: { group: 'After a fifth died', title: 'time until all tables are exact', form: 'seconds' },
} as const satisfies Record<string, Figure>

export type FigureName = keyof typeof figures
