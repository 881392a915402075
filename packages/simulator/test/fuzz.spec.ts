import assert from 'node:assert/strict'
import { InvalidValueError } from '@plaxton/kbr'
import type { Overlay } from '@plaxton/kbr'
import { pastry } from '@plaxton/pastry'
import { drawScenario } from '../src/fuzz/draw.ts'
import { fuzz } from '../src/fuzz/fuzz.ts'
import type { FuzzRun } from '../src/fuzz/fuzz.ts'
import { runScenario } from '../src/fuzz/run.ts'
import { parseScenario, printScenario } from '../src/fuzz/scenario.ts'
import { reduceList } from '../src/fuzz/shrink.ts'
import { overlays } from '../src/overlays.ts'
import type { OverlayUnderTest } from '../src/overlays.ts'

describe('a scenario', () => {
  it('is the same again after it has been printed and read', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const scenario = drawScenario(seed, 16)
      assert.deepEqual(parseScenario(printScenario(scenario)), scenario)
    }
  })

  it('has one history, that of the line it is printed as', () => {
    const scenario = drawScenario(11, 6)
    const [first, second] = [scenario, parseScenario(printScenario(scenario))].map((each) => runScenario(each, overlays.pastry()))
    assert.ok(first!.messages > 100)
    assert.equal(first!.traceHash, second!.traceHash)
  })

  it('leaves out what cannot be done when its time comes', () => {
    const possible = 'seed 1; past 3; 0 start 0; 1 start 1; 20 put 0 5 100; 40 crash 1'
    const impossible = '; 0 start 0; 5 crash 7; 15 get 0 5; 30 put 0 5 7; 30 publish 0 1; 41 crash 1; 42 leave 1; 43 get 1 5; 44 remove 9'
    const [first, second] = [possible, possible + impossible].map((text) => runScenario(parseScenario(text), overlays.pastry()))
    assert.deepEqual([first!.violations.kept, second!.violations.kept], [[], []])
    // The clock runs on to the last event in both.
    assert.equal(second!.messages, first!.messages)
  })

  it('draws every fault there is, and leaves each out in some runs', () => {
    const drawn = Array.from({ length: 300 }, (_, seed) => new Set(drawScenario(seed, 16).events.map(({ verb }) => verb)))
    const faults = ['crash', 'wipe', 'leave', 'loss', 'jitter', 'slow', 'block', 'clock', 'cut', 'cut-one-way', 'put', 'publish'] as const
    for (const verb of faults) {
      const runs = drawn.filter((verbs) => verbs.has(verb)).length
      assert.ok(runs >= 15 && runs <= 285, `${verb} in ${runs} of 300 runs`)
    }
  })

  for (const [text, words] of [
    ['0 jump 3', /jump.*start, crash/],
    ['0 crash', /crash host/],
    ['0 slow 3', /slow host ms/],
    ['0 cut', /cut host/],
    ['on moon; 0 start 0', /uniform 10 ms/],
    ['colour red; 0 start 0', /seed, on, notice/],
    ['0 crash -1', /a number >= 0/],
  ] as const) {
    it(`"${text}" is refused, and what is allowed is said`, () => {
      assert.throws(
        () => parseScenario(text),
        (error: Error) => error instanceof InvalidValueError && words.test(error.message),
      )
    })
  }
})

describe('delta debugging', () => {
  it('finds the two of a hundred items that are needed', () => {
    const items = Array.from({ length: 100 }, (_, i) => i)
    let tries = 0
    const kept = reduceList(items, (rest) => {
      tries++
      return rest.includes(17) && rest.includes(64)
    })
    assert.deepEqual(kept, [17, 64])
    assert.ok(tries < 100, `${tries} tries`)
  })

  it('keeps everything when everything is needed', () => {
    assert.deepEqual(
      reduceList([1, 2, 3], () => false),
      [1, 2, 3],
    )
  })
})

// An overlay that is broken on purpose: who hears of a death takes itself for the root of everything with a 7 at the end.
describe('fuzz', function () {
  this.timeout(120_000)

  it('finds what is broken about an overlay, and makes of it a scenario of a few events that shows it', () => {
    const subject = broken((overlay) => {
      let bereft = false
      const [onPeerDown, onMessage, nextHop] = [
        overlay.onPeerDown.bind(overlay),
        overlay.onMessage.bind(overlay),
        overlay.nextHop.bind(overlay),
      ]
      overlay.onPeerDown = (...args) => {
        bereft = true
        return onPeerDown(...args)
      }
      overlay.onMessage = (from, message, ...rest) => {
        bereft ||= message.type === 'goodbye'
        return onMessage(from, message, ...rest)
      }
      overlay.nextHop = (key, cursor, avoid) => (bereft && key.endsWith('7') ? { action: 'deliver' } : nextHop(key, cursor, avoid))
    })
    let found: FuzzRun | undefined = undefined
    for (let seed = 1; seed <= 12 && found?.shrunk === undefined; seed++) found = fuzz(seed, { subject, nodes: 6, tries: 150 })
    assert.ok(found?.shrunk !== undefined, 'none of twelve runs found it')
    assert.ok(found.shrunk.drawn > 10)
    assert.ok(found.shrunk.events <= 5, found.shrunk.scenario)
    const scenario = parseScenario(found.shrunk.scenario)
    assert.ok(runScenario(scenario, subject).violations.byCheck().has(found.shrunk.violation.check))
    assert.equal(runScenario(scenario, overlays.pastry()).violations.total, 0)
  })

  it('finds a broken invariant at the step that breaks it', () => {
    const subject = broken((overlay) => {
      overlay.assertInvariants = () => {
        if (overlay.neighborSet(9).length >= 2) throw new Error('broken by hand')
      }
    })
    const result = runScenario(parseScenario('seed 1; 0 start 0; 5 start 1; 10 start 2; 100 crash 2'), subject)
    const [violation] = result.violations.kept
    assert.match(violation!.detail, /broken by hand/)
    assert.ok(violation!.at >= 10_000 && violation!.at < 20_000)
  })
})

/** Pastry with something wrong about each of its nodes. */
function broken(change: (overlay: Overlay) => void): OverlayUnderTest {
  const sound = overlays.pastry()
  const factory = pastry({ leafSetSize: 16 })
  return {
    ...sound,
    overlay: {
      name: factory.name,
      create: (self, prng) => {
        const overlay = factory.create(self, prng)
        change(overlay)
        return overlay
      },
    },
  }
}
