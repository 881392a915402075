import assert from 'node:assert/strict'
import type { NodeRef, PeerDownCause } from '@plaxton/kbr'
import type { Link, LinkReceiver } from '@plaxton/runtime'
import { declares, register } from './suite.ts'
import type { Case, Runner, Suite } from './suite.ts'

/** A network on which links are made. Each case has one of its own. */
export interface LinkNetwork {
  /** The link of a node that was not there before; not open yet. */
  link(): Promise<Link>
  /** The link of a node whose link was closed, in its next incarnation: same id, higher epoch; not open yet. */
  again(link: Link): Promise<Link>
  /** Closes whatever is open still. */
  close(): Promise<void>
}

export interface LinkInit {
  readonly open: () => Promise<LinkNetwork>
  readonly has: {
    /** Longest frame it carries, in bytes. */
    readonly frameBytesMax: number
    /** Frames up to this many bytes arrive in the order they were sent; longer ones may be overtaken. */
    readonly orderedBytesMax: number
    /** What was sent right before the link is closed arrives. */
    readonly lastWords: boolean
  }
  readonly runner?: Runner
}

/** Registers tests that hold for every {@link Link}. */
export function linkConformance(name: string, init: LinkInit): void {
  register(linkSuite(name, init), init.runner)
}

/** The same as a value. */
export function linkSuite(name: string, init: LinkInit): Suite {
  const { frameBytesMax, orderedBytesMax, lastWords } = init.has
  const always: ReadonlyArray<readonly [title: string, run: (bench: Bench) => Promise<void>]> = [
    ['carries frames both ways, and says truly who sent them', carriesBothWays],
    ['keeps the order of frames, and hands none over inside the send', keepsOrder],
    [`carries frames of every size from 1 to ${frameBytesMax} bytes, whole`, (bench) => carriesSizes(bench, frameBytesMax)],
    ['keeps frames apart when many nodes send to one', keepsSendersApart],
    ['reports a peer that is not there as unreachable', reportsUnreachable],
    ['tells those it exchanged frames with that it closed, and nobody else', tellsOfClosing],
    ['hands nothing over once it is closed, and sends nothing', isSilentOnceClosed],
    ['reaches a node that came back under its id, in its new incarnation', reachesAgain],
    ['drops what is sent to a reference that leads nowhere, and goes on', dropsWithoutThrowing],
    ['takes peers to keep, any number and any times', keepsPeers],
    ['believes references to nodes it has met, and none whose address is another’s', judgesReferences],
    ['signs with a key that belongs to its id and to no other', hasKey],
  ]
  const cases: Case[] = always.map(([title, run]) => ({ title, run: () => withBench(init, run) }))
  return {
    title: `the link ${name}`,
    cases: [
      ...cases,
      lastWords
        ? { title: 'delivers what was sent right before it closes', run: () => withBench(init, deliversLastWords) }
        : declares('what was sent right before it closes may be lost'),
      ...(orderedBytesMax < frameBytesMax
        ? [declares(`frames of more than ${orderedBytesMax} bytes may be overtaken by shorter ones`)]
        : []),
    ],
  }
}

/** Longest wait for anything a link does. A dial may have to run out of time. */
const patienceMs = 15_000

/** What arrives at one link, in order. */
class Inbox implements LinkReceiver {
  readonly frames: Array<{ readonly from: NodeRef; readonly frame: Uint8Array }> = []
  readonly downs: Array<{ readonly peer: NodeRef; readonly cause: PeerDownCause }> = []
  private wake: (() => void) | undefined

  onFrame(from: NodeRef, frame: Uint8Array): void {
    this.frames.push({ from, frame: frame.slice() })
    this.wake?.()
  }

  onPeerDown(peer: NodeRef, cause: PeerDownCause): void {
    this.downs.push({ peer, cause })
    this.wake?.()
  }

  get texts(): string[] {
    return this.frames.map(({ frame }) => text(frame))
  }

  async until(holds: () => boolean, what: string): Promise<void> {
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => late.reject(new Error(`${what}: not within ${patienceMs} ms`)), patienceMs)
    try {
      while (!holds()) await Promise.race([late.promise, new Promise<void>((resolve) => (this.wake = resolve))])
    } finally {
      clearTimeout(timer)
    }
  }

  frame(count: number): Promise<void> {
    return this.until(() => this.frames.length >= count, `${count} frames, of which ${this.frames.length} are here`)
  }

  down(peer: NodeRef, cause: PeerDownCause): Promise<void> {
    return this.until(() => this.downs.some((down) => down.peer.id === peer.id && down.cause === cause), `a peer ${cause}`)
  }
}

interface End {
  readonly link: Link
  readonly inbox: Inbox
}

interface Bench {
  /** Opens the link of a new node. */
  readonly end: () => Promise<End>
  readonly network: LinkNetwork
}

async function withBench(init: LinkInit, run: (bench: Bench) => Promise<void>): Promise<void> {
  const network = await init.open()
  try {
    await run({ network, end: async () => openEnd(await network.link()) })
  } finally {
    await network.close()
  }
}

async function openEnd(link: Link): Promise<End> {
  const inbox = new Inbox()
  await link.open(inbox)
  return { link, inbox }
}

const bytes = (words: string): Uint8Array => new TextEncoder().encode(words)
const text = (frame: Uint8Array): string => new TextDecoder().decode(frame)

async function carriesBothWays({ end }: Bench): Promise<void> {
  const [a, b] = [await end(), await end()]
  a.link.send(b.link.self, bytes('question'))
  await b.inbox.frame(1)
  const { from } = b.inbox.frames[0]!
  assert.deepEqual(from, a.link.self)
  b.link.send(from, bytes('answer'))
  await a.inbox.frame(1)
  assert.deepEqual(a.inbox.frames[0]!.from, b.link.self)
  assert.deepEqual([b.inbox.texts, a.inbox.texts], [['question'], ['answer']])
}

async function keepsOrder({ end }: Bench): Promise<void> {
  const [a, b] = [await end(), await end()]
  const sent = Array.from({ length: 200 }, (_, i) => `${i} ${'x'.repeat((i * 37) % 300)}`)
  for (const words of sent) a.link.send(b.link.self, bytes(words))
  assert.equal(b.inbox.frames.length, 0, 'a frame was handed over inside the send')
  await b.inbox.frame(sent.length)
  assert.deepEqual(b.inbox.texts, sent)
}

async function carriesSizes({ end }: Bench, most: number): Promise<void> {
  const [a, b] = [await end(), await end()]
  const sizes = [1, 2, 127, 128, 129, 16_383, 16_384, 32_768, 65_535, 65_536, 65_537, 300_000, most].filter((size) => size <= most)
  for (const [i, size] of sizes.entries()) {
    const frame = new Uint8Array(size).map((_, at) => at * 13 + size)
    const copy = frame.slice()
    a.link.send(b.link.self, frame)
    await b.inbox.frame(i + 1)
    const got = b.inbox.frames[i]!.frame
    assert(got.length === size && got.every((byte, at) => byte === copy[at]), `a frame of ${size} bytes arrived as ${got.length} others`)
  }
}

async function keepsSendersApart({ end }: Bench): Promise<void> {
  const to = await end()
  const senders = await Promise.all(Array.from({ length: 4 }, end))
  for (let i = 0; i < 25; i++) for (const { link } of senders) link.send(to.link.self, bytes(`${i} of ${link.self.id}`))
  await to.inbox.frame(100)
  for (const { link } of senders) {
    const own = to.inbox.frames.filter(({ from }) => from.id === link.self.id).map(({ frame }) => text(frame))
    assert.deepEqual(
      own,
      Array.from({ length: 25 }, (_, i) => `${i} of ${link.self.id}`),
    )
  }
}

async function reportsUnreachable({ end }: Bench): Promise<void> {
  const [a, b] = [await end(), await end()]
  await b.link.close()
  a.link.send(b.link.self, bytes('anyone?'))
  await a.inbox.down(b.link.self, 'unreachable')
  assert.deepEqual(a.inbox.downs[0]!.peer, b.link.self)
}

async function tellsOfClosing({ end }: Bench): Promise<void> {
  const [a, b, c] = [await end(), await end(), await end()]
  a.link.send(b.link.self, bytes('hello'))
  await b.inbox.frame(1)
  await b.link.close()
  await a.inbox.down(b.link.self, 'disconnected')
  assert.deepEqual(c.inbox.downs, [])
}

async function isSilentOnceClosed({ end }: Bench): Promise<void> {
  const [a, b] = [await end(), await end()]
  a.link.send(b.link.self, bytes('one'))
  await b.inbox.frame(1)
  await b.link.close()
  await b.link.close()
  const told = b.inbox.downs.length
  await a.inbox.down(b.link.self, 'disconnected')
  a.link.send(b.link.self, bytes('two'))
  b.link.send(a.link.self, bytes('from the dead'))
  await a.inbox.down(b.link.self, 'unreachable')
  assert.deepEqual([b.inbox.texts, a.inbox.texts], [['one'], []])
  assert.equal(b.inbox.downs.length, told)
}

async function reachesAgain({ end, network }: Bench): Promise<void> {
  const [a, b] = [await end(), await end()]
  a.link.send(b.link.self, bytes('hello'))
  await b.inbox.frame(1)
  await b.link.close()
  await a.inbox.down(b.link.self, 'disconnected')
  const again = await openEnd(await network.again(b.link))
  assert.equal(again.link.self.id, b.link.self.id)
  assert(again.link.self.epoch > b.link.self.epoch, 'a new incarnation has a higher epoch')
  a.link.send(again.link.self, bytes('welcome back'))
  await again.inbox.frame(1)
  again.link.send(again.inbox.frames[0]!.from, bytes('thanks'))
  await a.inbox.frame(1)
  assert.deepEqual([again.inbox.texts, a.inbox.texts], [['welcome back'], ['thanks']])
  assert.equal(a.inbox.frames[0]!.from.epoch, again.link.self.epoch)
}

async function dropsWithoutThrowing({ end }: Bench): Promise<void> {
  const [a, b] = [await end(), await end()]
  const nobody: NodeRef = { id: '0'.repeat(b.link.self.id.length) as NodeRef['id'], address: 'nowhere', epoch: 1 }
  a.link.send(nobody, bytes('hello'))
  a.link.send(b.link.self, bytes('still works'))
  await b.inbox.frame(1)
  assert.deepEqual(b.inbox.texts, ['still works'])
}

async function keepsPeers({ end }: Bench): Promise<void> {
  const [a, b, c] = [await end(), await end(), await end()]
  for (const peers of [[b, c], [], [c], [c, b], [b]]) a.link.keep(peers.map(({ link }) => link.self))
  a.link.send(b.link.self, bytes('kept'))
  await b.inbox.frame(1)
}

async function judgesReferences({ end }: Bench): Promise<void> {
  const [a, b, c] = [await end(), await end(), await end()]
  a.link.send(b.link.self, bytes('hello'))
  await b.inbox.frame(1)
  const { id, address, epoch } = b.link.self
  assert.deepEqual(a.link.readRef(id, address, epoch), b.link.self)
  assert.deepEqual(a.link.readRef(id, address, epoch + 1), { id, address, epoch: epoch + 1 })
  assert.equal(a.link.readRef(id, c.link.self.address, epoch), undefined, 'an address of another node was believed')
  for (const rubbish of ['', ' ', 'nowhere', '/ip4/1.2.3.4', 'x'.repeat(2_000)]) assert.equal(a.link.readRef(id, rubbish, epoch), undefined)
}

async function hasKey({ end }: Bench): Promise<void> {
  const [a, b] = [await end(), await end()]
  const [keyOfA, keyOfB] = [await a.link.key(), await b.link.key()]
  assert.equal(keyOfA.publicKey.length, 32)
  assert.equal((await keyOfA.sign(bytes('something'))).length, 64)
  for (const { link } of [a, b]) {
    assert.equal(link.isKeyOf(a.link.self, keyOfA.publicKey), true)
    assert.equal(link.isKeyOf(b.link.self, keyOfB.publicKey), true)
    assert.equal(link.isKeyOf(b.link.self, keyOfA.publicKey), false)
    assert.equal(link.isKeyOf(a.link.self, new Uint8Array(0)), false)
  }
}

async function deliversLastWords({ end }: Bench): Promise<void> {
  const [a, b] = [await end(), await end()]
  a.link.send(b.link.self, bytes('hello'))
  await b.inbox.frame(1)
  a.link.send(b.link.self, bytes('good-bye'))
  await a.link.close()
  await b.inbox.frame(2)
  assert.deepEqual(b.inbox.texts, ['hello', 'good-bye'])
}
