// npm run bench [-- NAME… --OPTION…]: runs every packages/*/bench/*.bench.ts and apps/*/bench/*.bench.ts, one after the other so that
// none disturbs another. Names keep only the files whose path contains one of them; whatever follows from the first option on is handed
// to each. Inside a package it runs that package's own.

import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'

const given = process.argv.slice(2)
const firstOption = given.findIndex((word) => word.startsWith('--'))
const wanted = firstOption === -1 ? given : given.slice(0, firstOption)
const options = given.slice(wanted.length)
const files = globSync(['packages/*/bench/*.bench.ts', 'apps/*/bench/*.bench.ts', 'bench/*.bench.ts'])
  .filter((file) => wanted.length === 0 || wanted.some((name) => file.includes(name)))
  .toSorted()

if (files.length === 0) console.log('No bench matches.')
for (const file of files) {
  console.log(`\n— ${file}`)
  const { status } = spawnSync(process.execPath, ['--conditions=plaxton-source', file, ...options], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
