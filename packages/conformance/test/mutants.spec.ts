import assert from 'node:assert/strict'
import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { Dht, Dolr, Overlay, OverlayEffects, OverlayFactory } from '@plaxton/kbr'
import { DolrNode } from '@plaxton/dolr'
import { PastNode } from '@plaxton/past'
import { pastry } from '@plaxton/pastry'
import { DolrClient, MemoryNetwork, PastClient, memoryStore } from '@plaxton/runtime'
import type { Link, StorePort } from '@plaxton/runtime'
import { ringDistance } from '@plaxton/simulator'
import { dhtSuite, dolrSuite, failuresOf, linkSuite, only, onMemoryNetwork, overlaySuite, storeSuite } from '../src/index.ts'
import type { NamingDht, OverlayAbilities, Suite } from '../src/index.ts'

// A test that cannot fail is worth nothing. Each of these implementations is wrong in one way, and the case named finds it.

/** Throws unless a case of the suite whose title contains `words` fails; and, what it fails with, when `pattern` is given. */
async function finds(words: string, suite: Suite, pattern = /./): Promise<void> {
  const failures = await failuresOf(only(words, suite))
  assert(failures.length > 0, `nothing failed of "${words}"`)
  assert(
    failures.some(({ error }) => pattern.test(error.message)),
    failures.map(({ error }) => error.message).join('\n'),
  )
}

describe('the overlay suite finds', function () {
  this.timeout(120_000)
  const pastryHas: OverlayAbilities = { ranges: 'contiguous', proximity: true, heals: true }
  const suiteOf = (create: () => OverlayFactory, has = pastryHas): Suite =>
    overlaySuite('mutant', { create, ownership: ringDistance, has, seeds: [1], nodes: 8 })

  it('a node that delivers what is not its own', () =>
    finds(
      'to its root and nowhere else',
      suiteOf(
        mutant((overlay) => {
          const nextHop = overlay.nextHop.bind(overlay)
          overlay.nextHop = (key, cursor, avoid) => (key.endsWith('7') ? { action: 'deliver' } : nextHop(key, cursor, avoid))
        }),
      ),
      /was not delivered once, at its root|would end at/,
    ))

  it('a replica set with two nodes exchanged', () =>
    finds(
      'replicaSet names the first',
      suiteOf(
        mutant((overlay) => {
          const replicaSet = overlay.replicaSet.bind(overlay)
          overlay.replicaSet = (key, num) => {
            const [a, b, c, d, ...rest] = replicaSet(key, num)
            return d === undefined ? replicaSet(key, num) : [a!, b!, d, c!, ...rest]
          }
        }),
      ),
      /replicaSet of/,
    ))

  it('a range that begins too late', () =>
    finds(
      'range tells',
      suiteOf(
        mutant((overlay) => {
          const range = overlay.range.bind(overlay)
          overlay.range = (node, rank, lkey) => {
            const told = range(node, rank, lkey)
            return told && { from: told.to, to: told.to }
          }
        }),
      ),
      /for rank/,
    ))

  it('answers that change although nothing has happened', () =>
    finds(
      'asking changes nothing',
      suiteOf(
        mutant((overlay) => {
          const neighborSet = overlay.neighborSet.bind(overlay)
          let times = 0
          overlay.neighborSet = (num) => (times++ % 2 === 0 ? neighborSet(num) : neighborSet(num).reverse())
        }),
      ),
    ))

  it('a node that names itself as its neighbour', () =>
    finds(
      'never the node itself; somebody',
      suiteOf(
        mutant((overlay) => {
          const neighborSet = overlay.neighborSet.bind(overlay)
          overlay.neighborSet = (num) => [overlay.self, ...neighborSet(num)]
        }),
      ),
      /names itself/,
    ))

  it('routes that change without a word', () =>
    finds('routesChanged is called', suiteOf(mutant(withEffects({ routesChanged: () => {} }))), /routesChanged was not called/))

  it('neighbours that come and go without a word', () =>
    finds('update tells', suiteOf(mutant(withEffects({ neighborChanged: () => {} }))), /told by update/))

  it('luck that is not from the seed', () =>
    finds(
      'the same seed gives',
      suiteOf(
        mutant((overlay) =>
          withEffects((fx) => ({ startTimer: (kind, arg, ms) => fx.startTimer(kind, arg, Math.round(ms * (0.5 + Math.random()))) }))(
            overlay,
          ),
        ),
      ),
      /two runs of one seed differ/,
    ))

  it('a codec that throws what it should not', () =>
    finds(
      'refused with a WireError',
      suiteOf(
        mutant((overlay) => {
          const { codec } = overlay
          const decode = codec.decode.bind(codec)
          const careless: Overlay['codec'] = {
            encode: (message) => codec.encode(message),
            decode: (bytes, refs) => {
              try {
                return decode(bytes, refs)
              } catch {
                throw new RangeError('index out of range')
              }
            },
          }
          Object.defineProperty(overlay, 'codec', { value: careless, configurable: true })
        }),
      ),
      /decoding threw something else/,
    ))

  it('a node that remembers every stranger', () =>
    finds(
      'grow without bound',
      suiteOf(
        mutant((overlay) => {
          const visitors = new Map<Guid, object>()
          const onContact = overlay.onContact.bind(overlay)
          overlay.onContact = (from, now, fx) => {
            visitors.set(from.id, { from, now, seen: [1, 2, 3] })
            onContact(from, now, fx)
          }
          Object.assign(overlay, { visitors })
        }),
      ),
      /more values/,
    ))

  it('a node that never forgives whoever was once silent, so that halves stay apart', () =>
    finds(
      'two halves become one',
      suiteOf(
        mutant((overlay) => {
          const dead = new Set<Guid>()
          withEffects((fx) => ({
            peerFailed: (peer) => {
              dead.add(peer.id)
              fx.peerFailed(peer)
            },
          }))(overlay)
          const onMessage = overlay.onMessage.bind(overlay)
          overlay.onMessage = (from, message, now, fx) => (dead.has(from.id) ? undefined : onMessage(from, message, now, fx))
        }),
      ),
      /agreement of/,
    ))

  it('next hops chosen without a look at how far they are', () =>
    finds(
      'it takes a near one',
      suiteOf(
        mutant((overlay) => {
          const nextHop = overlay.nextHop.bind(overlay)
          const onTimer = overlay.onTimer.bind(overlay)
          let clock = 0
          overlay.onTimer = (kind, arg, now, fx) => onTimer(kind, arg, (clock = now), fx)
          overlay.nextHop = (key, cursor, avoid) => {
            const next = nextHop(key, cursor, avoid)
            if (clock < 600_000) return next // Until all have joined and the case has begun.
            const others = overlay.localLookup(key, 100, false).filter(({ id }) => !avoid.has(id))
            const to = others[Number.parseInt(key.slice(-6), 16) % Math.max(1, others.length)]
            return next.action !== 'forward' || cursor !== 0 || to === undefined ? next : { action: 'forward', to, cursor: 0 }
          }
        }),
      ),
      /times as far as random members/,
    ))

  it('abilities that are not as declared', async () => {
    await finds('declares', suiteOf(pastry, { ...pastryHas, ranges: 'scattered' }), /it may say contiguous/)
    await finds('declares', suiteOf(pastry, { ...pastryHas, ranges: false }), /it tells ranges/)
  })

  it('a failure of one seed, and prints how to repeat it', async () => {
    const suite = overlaySuite('mutant', {
      create: mutant((overlay) => (overlay.replicaSet = () => [])),
      ownership: ringDistance,
      has: pastryHas,
      seeds: [17],
      nodes: 2,
    })
    const [failure] = await failuresOf(only('an iterative lookup', suite))
    assert.match(failure!.error.message, /^seed 17, 1 node: /)
    assert.match(failure!.error.message, /repeat with: overlayConformance\('mutant', \{ …, seeds: \[17\] \}\)/)
  })
})

describe('the store suite finds', () => {
  const suiteOf = (spoil: (store: StorePort) => Partial<StorePort>): Suite =>
    storeSuite('mutant', {
      has: { copies: true, outlivesClose: true },
      open: async () => {
        const store = memoryStore()
        const spoilt = { ...store, ...spoil(store) }
        return { store: spoilt, reopen: async () => spoilt }
      },
    })

  it('a store that forgets', async () => {
    let writes = 0
    const forgets = suiteOf((store) => ({ write: async (entries) => (++writes % 100 === 0 ? undefined : store.write(entries)) }))
    await finds('takes many writes', forgets)
  })

  it('a store that does not erase', () =>
    finds(
      'erases',
      suiteOf((store) => ({ write: (entries) => store.write(entries.filter(([, bytes]) => bytes !== undefined)) })),
    ))

  it('a store that lists out of order, or too much', async () => {
    await finds(
      'lists keys in order',
      suiteOf((store) => ({ list: async (prefix) => (await store.list(prefix)).reverse() })),
    )
    await finds(
      'exactly the keys',
      suiteOf((store) => ({ list: () => store.list('') })),
    )
  })

  it('a store that hands out its own bytes', async () => {
    const shared = new Map<string, Uint8Array>()
    await finds(
      'keeps its bytes',
      suiteOf(() => ({
        write: async (entries) => entries.forEach(([key, bytes]) => bytes && shared.set(key, bytes)),
        read: async (key) => shared.get(key),
      })),
    )
  })
})

describe('the link suite finds', () => {
  type Send = (...args: Parameters<Link['send']>) => void
  const suiteOf = (spoil: (send: Send) => Send): Suite => {
    const network = new MemoryNetwork()
    const prng = Prng.fromSeed('mutant links')
    const make = (self: Link['self']): Link => {
      const link = network.link(self)
      link.send = spoil(link.send.bind(link))
      return link
    }
    return linkSuite('mutant', {
      has: { frameBytesMax: 100_000, orderedBytesMax: 100_000, lastWords: true },
      open: async () => ({
        link: async () => make({ id: randomGuid(prng), address: `memory:${prng.nextUint32()}`, epoch: 1 }),
        again: async ({ self }) => make({ ...self, epoch: self.epoch + 1 }),
        close: async () => {},
      }),
    })
  }

  it('a link that reorders', () =>
    finds(
      'keeps the order',
      suiteOf((send) => {
        let held: Parameters<Send> | undefined
        return (to, frame) => {
          const before = held
          held = before === undefined ? [to, frame] : undefined
          if (before === undefined) return
          send(to, frame)
          send(...before)
        }
      }),
    ))

  it('a link that changes a byte', () =>
    finds(
      'whole',
      suiteOf((send) => (to, frame) => send(to, frame.length > 70_000 ? frame.with(69_999, 1 ^ frame[69_999]!) : frame)),
      /arrived as/,
    ))

  it('a link that says a frame twice', () =>
    finds(
      'keeps frames apart',
      suiteOf((send) => (to, frame) => {
        send(to, frame)
        send(to, frame)
      }),
    ))

  it('a link that does not carry frames of some size', () =>
    finds(
      'whole',
      suiteOf((send) => (to, frame) => send(to, frame.length === 65_537 ? frame.subarray(1) : frame)),
      /arrived as/,
    ))
})

describe('the DHT suite finds', function () {
  this.timeout(120_000)
  const suiteOf = (spoil: (dht: PastClient) => Partial<Dht>): Suite =>
    dhtSuite('mutant', {
      has: { names: true, strangers: true, cuts: false },
      sizes: [1, 5],
      open: onMemoryNetwork<NamingDht>({
        overlay: pastry,
        service: (prng) => {
          const application = new PastNode({}, prng)
          return { application, client: (host) => changed(new PastClient(host, application), spoil) }
        },
      }),
    })

  it('a DHT that loses an acknowledged object', () =>
    finds(
      'two nodes crash',
      suiteOf((dht) => ({ put: (guid, data, options) => dht.put(guid, data, { ...options, replicas: 1 }) })),
      /was acknowledged, and cannot be read|holders/,
    ))

  it('a DHT that gives other bytes', () =>
    finds(
      'stores objects from',
      suiteOf((dht) => ({
        get: async (guid, options) => (await dht.get(guid, options)).map((byte, i) => (i === 16_384 ? byte ^ 1 : byte)),
      })),
      /reads as other bytes/,
    ))

  it('a DHT that only seems to remove', () =>
    finds(
      'removes an object everywhere',
      suiteOf((dht) => ({ remove: async (guid) => ({ guid, holders: (await dht.inspect(guid)).holders }) })),
    ))

  it('a DHT that does not hear a signal', () =>
    finds(
      'reason of its signal',
      suiteOf((dht) => ({ put: (guid, data) => dht.put(guid, data) })),
    ))

  it('a DHT that knows no deadline', () =>
    finds(
      'ends in its time',
      suiteOf((dht) => ({
        put: (guid, data) => dht.put(guid, data),
        get: (guid) => dht.get(guid),
        inspect: (guid) => dht.inspect(guid),
        remove: (guid) => dht.remove(guid),
      })),
      /otherwise than by their deadline/,
    ))
})

describe('the DOLR suite finds', function () {
  this.timeout(120_000)
  const suiteOf = (spoil: (dolr: DolrClient) => Partial<Dolr>): Suite =>
    dolrSuite('mutant', {
      has: { strangers: true, cuts: false },
      sizes: [1, 5],
      healMs: 3_000,
      open: onMemoryNetwork<Dolr>({
        overlay: pastry,
        service: (prng) => {
          const application = new DolrNode({ retryMs: 10, republishMs: 2_000 }, prng)
          return { application, client: (host) => changed(new DolrClient(host, application), spoil) }
        },
      }),
    })

  it('a DOLR that delivers to a node that is no host', async () => {
    const elsewhere = new Map<Guid, Parameters<Dolr['host']>[1]>()
    await finds(
      'and to nobody else',
      suiteOf((dolr) => ({
        // The second host of an object answers in the name of all.
        host: async (guid, handler, options) => {
          const first = elsewhere.get(guid)
          elsewhere.set(guid, handler)
          return dolr.host(guid, first ?? handler, options)
        },
      })),
    )
  })

  it('a DOLR that heeds no number', () =>
    finds(
      'at most n hosts',
      suiteOf((dolr) => ({ sendToObj: (message, guid, _n, options) => dolr.sendToObj(message, guid, 16, options) })),
    ))

  it('a DOLR that goes on hosting what was stopped', () =>
    finds(
      'there is no host',
      suiteOf((dolr) => ({
        host: async (guid, handler, options) => {
          await dolr.host(guid, handler, options)
          return { guid, stop: async () => {} }
        },
      })),
    ))

  it('a DOLR that sends when it is to locate', () =>
    finds(
      'locates hosts without sending',
      suiteOf((dolr) => ({
        locate: async (guid, n, options) => {
          await dolr.sendToObj(new Uint8Array(0), guid)
          return dolr.locate(guid, n, options)
        },
      })),
      /locating called a handler/,
    ))
})

/** Pastry with something wrong in each node. */
function mutant(spoil: (overlay: Overlay) => void): () => OverlayFactory {
  return () => ({
    name: 'mutant',
    create: (self, prng) => {
      const overlay = pastry().create(self, prng)
      spoil(overlay)
      return overlay
    },
  })
}

/** Gives the overlay effects of which some do something else. */
function withEffects(changes: Partial<OverlayEffects> | ((fx: OverlayEffects) => Partial<OverlayEffects>)): (overlay: Overlay) => void {
  const spoilt = (fx: OverlayEffects): OverlayEffects => {
    const others = Object.entries(typeof changes === 'function' ? changes(fx) : changes)
    return Object.create(fx, Object.fromEntries(others.map(([name, value]) => [name, { value }]))) as OverlayEffects
  }
  const inputs = ['join', 'leave', 'onMessage', 'onTimer', 'onPeerDown', 'onContact', 'onRoundTrip', 'suspect', 'forwardOwn'] as const
  return (overlay) => {
    for (const name of inputs) {
      const own = overlay[name].bind(overlay) as (...args: unknown[]) => unknown
      Object.assign(overlay, { [name]: (...args: unknown[]) => own(...args.slice(0, -1), spoilt(args.at(-1) as OverlayEffects)) })
    }
  }
}

/** The same client, of which some calls do something else. */
function changed<S extends object>(client: S, spoil: (client: S) => Partial<S> | object): S {
  return Object.create(client, Object.fromEntries(Object.entries(spoil(client)).map(([name, value]) => [name, { value }]))) as S
}
