export { FailedSet } from './failed-set.ts'
export type { FailedSetConfig } from './failed-set.ts'
export { History } from './history.ts'
export { Proximity } from './proximity.ts'
