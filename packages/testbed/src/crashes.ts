import assert from 'node:assert/strict'
import type { Millis } from '@plaxton/kbr'
import type { Host, Network } from './ring.ts'

/** An overlay whose nodes know a group around themselves, and what may be demanded of it. */
export interface Crashes<Tested extends Network> {
  readonly network: (seed: string) => Tested
  /** Crashes of this share of so many nodes at once, each over so many seeds; another network where one is named. */
  readonly masses: ReadonlyArray<readonly [count: number, share: number, network?: (seed: string) => Tested]>
  readonly seeds: number
  /** From the crash of one node until all know. */
  readonly oneMs: Millis
  /** What must hold within this time, besides complaints. */
  readonly sound: (network: Tested, withinMs: Millis) => void
  /** What must hold after the crash of many. */
  readonly sane: (network: Tested) => void
}

/** For the inside of a `describe`: what holds when nodes crash, whatever an overlay's groups are. */
export function itSurvivesCrashes<Tested extends Network>({ network: usual, masses, seeds, oneMs, sound, sane }: Crashes<Tested>): void {
  for (const [count, share, network = usual] of masses) {
    it(`${Math.round(share * count)} of ${count} at once${network === usual ? '' : ', in small groups'}: all is right within three minutes`, () => {
      for (let seed = 0; seed < seeds; seed++) {
        const whole = network(`crash ${count} ${seed}`)
        whole.grow(count)
        whole.run(10_000)
        for (const victim of whole.prng.shuffle(whole.members()).slice(0, Math.round(share * count))) victim.crash()
        sound(whole, 180_000)
        sane(whole)
      }
    })
  }

  it('one of 30: its neighbours know within a heartbeat and the probes', () => {
    for (let seed = 0; seed < 5; seed++) {
      const network = usual(`one ${seed}`)
      network.grow(30)
      network.run(10_000)
      network.prng.pick(network.members())!.crash()
      sound(network, oneMs)
    }
  })

  itNoticesRefusals(usual, sound)
}

/** The crash of one is noticed at once where a refused connection tells. */
export function itNoticesRefusals<Tested extends Network>(
  create: (seed: string) => Tested,
  sound: (network: Tested, withinMs: Millis) => void,
): void {
  it('is noticed at once where a refused connection tells', () => {
    const network = create('refused')
    network.tellsUnreachable = true
    network.grow(30)
    network.run(10_000)
    const victim = network.members()[3]!
    victim.crash()
    for (const host of network.members()) host.peerDown(victim.ref, 'disconnected')
    sound(network, 1_000)
  })
}

/** A node that is cut off from a large network ends up answering for nothing, and joins again when it no longer is. */
export function itJoinsAgainWhenCutOff<Tested extends Network>(
  create: (seed: string) => Tested,
  { cutMs, soundMs }: { readonly cutMs: Millis; readonly soundMs: Millis },
  sound: (network: Tested, withinMs: Millis) => void,
): void {
  it('a node cut off from a large network ends up answering for nothing, and joins again', () => {
    const network = create('isolated')
    const lonely = network.grow(40)[0]!
    network.run(10_000)
    network.passes = (a, b) => a.id !== lonely.ref.id && b.id !== lonely.ref.id
    // Longer than one attempt to join lasts.
    network.run(cutMs)
    assert.equal(lonely.node.ready, false)
    assert.ok(!lonely.events.some(({ type }) => type === 'join-failed'))
    network.passes = () => true
    assert.ok(network.runUntil(() => lonely.node.ready, 150_000))
    sound(network, soundMs)
  })
}

/** Services hear of it whenever a node sees another replica set than before, with a neighbour or without. `few`: whose tables hold less than a network of some ten nodes. */
export function itTellsOfReplicaSets(few: (seed: string) => Network): void {
  it('services are told whenever a node sees another replica set than before', () => {
    for (let seed = 0; seed < 12; seed++) {
      const network = few(`told ${seed}`)
      network.tellsUnreachable = true
      const members = network.grow(8 + (seed % 10))
      network.run(60_000)
      const keys = members.map(({ ref }) => ref.id)
      const look = ({ node }: Host): string => keys.map((key) => node.replicaSet(key, 4).map(({ id }) => id)).join()
      const lookAtAll = () => left.map((host) => ({ set: look(host), told: host.neighbors.length + host.rankChanges }))
      const dead = network.prng.shuffle(members).slice(0, 3)
      for (const victim of dead) victim.crash()
      const left = network.members()
      let before = lookAtAll()
      for (const host of left) for (const { ref } of dead) host.peerDown(ref, 'disconnected')
      for (let i = 0; i < 1_000; i++) {
        network.run(5)
        const now = lookAtAll()
        now.forEach(({ set, told }, at) =>
          assert.ok(set === before[at]!.set || told > before[at]!.told, `seed ${seed}, ${left[at]!.ref.id}`),
        )
        before = now
      }
    }
  })
}
