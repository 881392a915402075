#!/usr/bin/env node
import module from 'node:module'

// Half of the processor time of starting a node is compiling modules. Node from 22.8 on keeps the result in the folder for temporary files.
module.enableCompileCache?.()
const { run } = await import('./cli.ts')

// Whoever reads our output has enough: `plaxton ls | head -1`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

const status = await run(process.argv.slice(2))
for (const stream of [process.stdout, process.stderr]) await new Promise((written) => stream.write('', written))
// Connections that a library is still closing are no reason to stay.
process.exit(status)
