import assert from 'node:assert/strict'
import type { NodeRef } from '@plaxton/kbr'
import { parseGuid } from '@plaxton/guid'
import type { Link } from '../src/link.ts'
import { MemoryNetwork } from '../src/memory-network.ts'

const ref = (digit: string): NodeRef => ({ id: parseGuid(digit.repeat(64)), address: `memory:${digit}`, epoch: 1 })
const [a, b, c] = [ref('a'), ref('b'), ref('c')]

/** A link's end: what arrived, in words, and a promise for the moment when there is enough of it. */
class Inbox {
  readonly log: string[] = []
  private wake: (() => void) | undefined

  onFrame(from: NodeRef, frame: Uint8Array): void {
    this.add(`${from.address} ${Buffer.from(frame).toString()}`)
  }

  onPeerDown(peer: NodeRef, cause: string): void {
    this.add(`${peer.address} ${cause}`)
  }

  async until(length: number): Promise<string[]> {
    while (this.log.length < length) {
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
    return this.log
  }

  private add(line: string): void {
    this.log.push(line)
    this.wake?.()
  }
}

describe('MemoryNetwork', () => {
  let network: MemoryNetwork
  beforeEach(() => {
    network = new MemoryNetwork()
  })

  async function open(self: NodeRef, on = network): Promise<{ link: Link; inbox: Inbox }> {
    const link = on.link(self)
    const inbox = new Inbox()
    await link.open(inbox)
    return { link, inbox }
  }

  it('delivers a copy of the bytes', async () => {
    const [{ link }, { inbox }] = [await open(a), await open(b)]
    const frame = Buffer.from('before')
    link.send(b, frame)
    frame.fill('x')
    assert.deepEqual(await inbox.until(1), ['memory:a before'])
  })

  it('loses frames that were on their way to a link that closed, and says so', async () => {
    const [one, two] = [await open(a), await open(b)]
    one.link.send(b, Buffer.from('too late'))
    await two.link.close()
    assert.deepEqual(await one.inbox.until(2), ['memory:b unreachable', 'memory:b disconnected'])
    assert.deepEqual(two.inbox.log, [])
  })

  it('refuses a second node of one id at a time', async () => {
    await open(a)
    await assert.rejects(open(a), { name: 'InvalidValueError' })
  })

  it('keeps two networks apart', async () => {
    const { link, inbox } = await open(a)
    await open(b, new MemoryNetwork())
    link.send(b, Buffer.from('hello'))
    assert.deepEqual(await inbox.until(1), ['memory:b unreachable'])
  })

  it('delays frames by its latency and keeps their order', async () => {
    network = new MemoryNetwork({ latencyMs: 20 })
    const [{ link }, { inbox }] = [await open(a), await open(b)]
    const sent = performance.now()
    link.send(b, Buffer.from('1'))
    link.send(b, Buffer.from('2'))
    assert.deepEqual(await inbox.until(2), ['memory:a 1', 'memory:a 2'])
    assert.ok(performance.now() - sent >= 19)
  })

  it('believes a reference whose address is the one the node was seen with, up or down', async () => {
    const { link } = await open(a)
    const other = await open(b)
    assert.equal(link.readRef(b.id, b.address, b.epoch), b)
    assert.deepEqual(link.readRef(b.id, b.address, 7), { ...b, epoch: 7 })
    assert.equal(link.readRef(b.id, 'memory:elsewhere', b.epoch), undefined)
    assert.equal(link.readRef(c.id, c.address, c.epoch), undefined)
    await other.link.close()
    assert.equal(link.readRef(b.id, b.address, b.epoch), b)
  })
})
