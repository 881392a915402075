#!/usr/bin/env node
// Nothing of ours is imported before this is known: older Nodes fail in the middle of loading it.
import module from 'node:module'

const oldestNode = 22

if (Number.parseInt(process.versions.node, 10) < oldestNode) {
  process.stderr.write(`plaxton: needs Node ${oldestNode} or newer, and this is Node ${process.versions.node}\n`)
  process.exitCode = 2
} else {
  await main()
}

async function main(): Promise<void> {
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
}
