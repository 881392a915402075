import { createRequire } from 'node:module'

/** The version of this package. It may see itself by name, from its sources as well as from its build. */
export const { version } = createRequire(import.meta.url)('@plaxton/cli/package.json') as { version: string }
