import assert from 'node:assert/strict'
import { guidOf } from '@plaxton/guid'
import { Daemon } from '../src/daemon/daemon.ts'
import { daemonConfig } from '../src/daemon/config.ts'
import { waitUntil } from '../src/up/wait-until.ts'
import { runHere } from './support/run-here.ts'
import { temporaryFolder } from './support/temporary.ts'
import type { StatusResult } from '../src/control/protocol.ts'

describe('a daemon with virtual nodes', function () {
  this.timeout(60_000)
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  const objects = Array.from({ length: 30 }, (_, i) => Buffer.from(`object ${i}`))

  beforeEach(async () => (folder = await temporaryFolder()))
  afterEach(() => folder.remove())

  async function start(virtualNodes: number): Promise<Daemon> {
    const daemon = await Daemon.start(await daemonConfig({ data: folder.path, virtualNodes }))
    const { nodes } = daemon.node.overlay
    const missing = (): number => nodes.filter(({ ready }) => !ready).length
    await waitUntil({ complaint: 'virtual nodes join', withinMs: 20_000, everyMs: 20, missing, signal: new AbortController().signal })
    return daemon
  }

  it('tells by status what each of them holds, and has all of it again after a restart', async () => {
    const first = await start(3)
    for (const data of objects) await first.node.past.put(guidOf(data), data)
    const { stdout } = await runHere(['status', '--json', '--data', folder.path])
    const status = JSON.parse(stdout) as StatusResult
    assert.equal(status.nodes.length, 3)
    assert.equal(new Set(status.nodes.map(({ id }) => id)).size, 3)
    assert.equal(status.nodes[0]?.id, status.id)
    assert(status.nodes.every(({ ready, objects: held }) => ready && held < objects.length))
    assert.deepEqual([status.objects, status.nodes.reduce((sum, node) => sum + node.objects, 0)], [objects.length, objects.length])
    assert.equal(
      status.nodes.reduce((sum, node) => sum + node.bytes, 0),
      status.bytes,
    )
    assert.equal(status.neighbors, 0)
    const human = await runHere(['status', '--data', folder.path])
    assert.match(
      human.stdout,
      /of these +\d+ objects?, .* by virtual node 0, [0-9a-f]{8}\n +\d+ objects?, .* by virtual node 1, .*\n.* by virtual node 2, /,
    )
    await first.stop()

    const again = await start(3)
    for (const data of objects) assert.deepEqual(Buffer.from(await again.node.past.get(guidOf(data))), data)
    await again.stop()
  })

  it('with one node says nothing of virtual nodes', async () => {
    const daemon = await start(1)
    assert.doesNotMatch((await runHere(['status', '--data', folder.path])).stdout, /virtual/)
    await daemon.stop()
  })
})
