export { tapestryDefaults } from './config.ts'
export type { TapestryConfig } from './config.ts'
