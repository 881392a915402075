import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { within } from './support/swarm.ts'

describe('a process with two nodes', () => {
  it('ends by itself once they are stopped: nothing is left open', async () => {
    const program = fileURLToPath(new URL('./support/two-nodes.ts', import.meta.url))
    const child = spawn(process.execPath, ['--conditions=plaxton-source', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    const status = new Promise<number | null>((resolve) => child.on('exit', resolve))
    try {
      assert.equal(await within(status, 'the process ends', 9_000), 0)
    } finally {
      child.kill('SIGKILL')
    }
    assert.equal(output, 'read back\nanswered\nstopped\n')
  })
})
