// npm run sizes: how large each package is in a browser's bundle, beside what its README says. With --write the READMEs are told.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { forBrowsers, root } from '../test/workspaces.ts'
import { saidSize, sizeOf, sizePattern, sizeSentence } from './bundles.ts'

const { values } = parseArgs({ options: { write: { type: 'boolean', default: false } } })

console.log(`${''.padEnd(26)}${['minified', 'gzipped', 'README'].map((title) => title.padStart(12)).join('')}`)
for (const { folder, manifest } of forBrowsers) {
  const file = join(root, folder, 'README.md')
  const readme = readFileSync(file, 'utf8')
  const size = await sizeOf(manifest.name)
  console.log(
    manifest.name.padEnd(26) +
      [size.minified, size.gzipped, saidSize(readme)?.minified].map((bytes) => String(bytes ?? '–').padStart(12)).join(''),
  )
  if (!values.write) continue
  const sentence = sizeSentence(size)
  writeFileSync(file, sizePattern.test(readme) ? readme.replace(sizePattern, sentence) : `${readme.trimEnd()}\n\n## Size\n\n${sentence}\n`)
}
