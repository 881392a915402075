import assert from 'node:assert/strict'
import { InvalidValueError, Prng } from '@plaxton/kbr'
import type { Guid } from '@plaxton/guid'
import { pastry } from '@plaxton/pastry'
import { AccessLinks, packetHeader } from '../src/access-links.ts'
import { keepSessions } from '../src/churn.ts'
import { runChurn } from '../src/churn-run.ts'
import { Clocks } from '../src/clocks.ts'
import { diurnal, failDomain, flashCrowd } from '../src/crowds.ts'
import { ProbeLog } from '../src/probe.ts'
import { rttMatrix } from '../src/rtt-matrix.ts'
import { exponentialSessions, paretoSessions, tracedSessions } from '../src/sessions.ts'
import { Simulation } from '../src/simulation.ts'
import type { SimulationOptions } from '../src/simulation.ts'
import { Simulator } from '../src/simulator.ts'
import { uniform } from '../src/topology.ts'
import { canTransitStub, transitStub } from '../src/transit-stub.ts'
import { ToyCore } from './toy-core.ts'

describe('clocks that drift', () => {
  it('gain or lose, each as it was told, and the others are right', () => {
    const clocks = new Clocks()
    clocks.setDrift(1, 0.5, 1000)
    clocks.setDrift(2, -0.5, 1000)
    assert.deepEqual(
      [0, 1, 2].map((host) => clocks.shows(host, 3000)),
      [3000, 4000, 2000],
    )
    assert.deepEqual(
      [0, 1, 2].map((host) => clocks.waits(host, 600)),
      [600, 400, 1200],
    )
  })

  it('never go backwards, whatever the rate becomes', () => {
    const clocks = new Clocks()
    let before = -1
    for (let now = 0; now < 5000; now++) {
      if (now % 1000 === 0) clocks.setDrift(7, now % 2000 === 0 ? 0.9 : -0.9, now)
      const shown = clocks.shows(7, now)
      assert.ok(shown >= before, `at ${now}`)
      before = shown
    }
  })

  it('let no timer come early by its own clock, at whatever rate and whenever it is set', () => {
    for (const drift of [0.01, -0.01, 0.001, 0.3, -0.7]) {
      const clocks = new Clocks()
      clocks.setDrift(1, drift, 0)
      for (let now = 0; now < 2000; now++) {
        for (const delay of [1, 101, 1000]) {
          const due = now + clocks.waits(1, delay)
          assert.ok(clocks.shows(1, due) >= clocks.shows(1, now) + delay, `${delay} ms at ${now}, drift ${drift}`)
        }
      }
    }
  })

  it('are what a core is told the time by, and what its timers wait by', () => {
    const simulator = new Simulator({ seed: 1, topology: uniform(10) })
    const process = simulator.start(simulator.addHost('a1' as Guid), (self) => new ToyCore(self))
    simulator.clocks.setDrift(0, 1, 0)
    simulator.step(process, (_now, fx) => fx.startTimer({ owner: 'test', kind: 'tick', arg: 1 }, 1000))
    simulator.run(499)
    assert.deepEqual((process.core as ToyCore).diary, [])
    simulator.run(1)
    assert.deepEqual((process.core as ToyCore).diary, ['1000 timer tick 1'])
  })

  it('refuse a drift that would stop them', () => {
    assert.throws(() => new Clocks().setDrift(0, -1, 0), InvalidValueError)
  })
})

describe('access links', () => {
  const config = { up: 1000, down: 2000, queueMs: 500 }

  it('take a message for its length by the rate, one after another, each host for itself', () => {
    const lines = new AccessLinks(config)
    assert.equal(lines.leaves(0, 100, 0), 100)
    assert.equal(lines.leaves(0, 100, 0), 200)
    assert.equal(lines.leaves(1, 100, 0), 100)
    assert.equal(lines.leaves(0, 100, 150), 150)
    assert.equal(lines.leaves(0, 100, 10_000), 100)
    assert.equal(lines.arrives(0, 100, 0), 50)
  })

  it('lose what comes when the queue is full, and go on', () => {
    const lines = new AccessLinks(config)
    const delays = Array.from({ length: 8 }, () => lines.leaves(0, 100, 0))
    assert.deepEqual(delays, [100, 200, 300, 400, 500, 600, undefined, undefined])
    assert.equal(lines.leaves(0, 100, 600), 100)
  })

  it('make a route as much slower as its messages take to leave and to come in', () => {
    const [wide, narrow] = [undefined, { up: 1000, down: 1000, queueMs: 60_000 }].map((accessLinks) => {
      const { simulation, log } = probed({ nodes: 2, ...(accessLinks === undefined ? {} : { accessLinks }) })
      simulation.joinAll({ gapMs: 5000 })
      simulation.run(60_500)
      log.send(simulation, simulation.nodes[0]!, simulation.nodes[1]!.id)
      simulation.run(5000)
      return log.probes[0]!.elapsedMs
    })
    // A probe of some hundred bytes takes 1 ms a byte on either line.
    assert.equal(wide, 10)
    assert.ok(narrow! - wide! >= 2 * packetHeader && narrow! - wide! < 600, `${narrow} ms`)
  })

  it('count what they lose', () => {
    const { simulation } = probed({ nodes: 8, accessLinks: { up: 200, down: 200, queueMs: 100 } })
    simulation.joinAll({ gapMs: 100, withinMs: 20_000 })
    assert.ok((simulation.simulator.counts.dropsByReason().get('queue') ?? 0) > 10)
  })
})

describe('a matrix of round trips', () => {
  const text = '# three places, ms\n0 40 100\n60, 0, -\n100 - 0\n'

  it('makes latencies of half a round trip, the same both ways, and the median where nothing was measured', () => {
    const topology = rttMatrix(text)(Prng.fromSeed(1))
    for (let i = 0; i < 60; i++) topology.place()
    const seen = new Set<number>()
    for (let a = 0; a < 60; a++) {
      for (let b = 0; b < a; b++) {
        assert.equal(topology.latencyMs(a, b), topology.latencyMs(b, a))
        seen.add(topology.latencyMs(a, b))
      }
    }
    // 1 for the same place, (40 + 60) / 4, 100 / 2, and half the median of 40, 60, 100, 100.
    assert.deepEqual(
      [...seen].sort((a, b) => a - b),
      [1, 25, 50],
    )
    assert.equal(topology.name, 'measured, 3 places')
  })

  it('refuses one that is not square, and says which row', () => {
    assert.throws(() => rttMatrix('0 1\n1 0 2\n'), /row is "2 of 3 numbers"/)
    assert.throws(() => rttMatrix(''), InvalidValueError)
  })
})

describe('lengths of sessions', () => {
  const draw = (sessions: { draw(prng: Prng): number }) => {
    const prng = Prng.fromSeed(1)
    return Array.from({ length: 20_000 }, () => sessions.draw(prng))
  }
  const mean = (sample: readonly number[]) => sample.reduce((sum, x) => sum + x, 0) / sample.length

  it('exponential: the mean is the mean, and a share of 1/e is longer', () => {
    const sample = draw(exponentialSessions(60_000))
    assert.ok(Math.abs(mean(sample) / 60_000 - 1) < 0.03)
    assert.ok(Math.abs(sample.filter((ms) => ms > 60_000).length / sample.length - 1 / Math.E) < 0.01)
  })

  it('Pareto: none is shorter than the least, and of twice the length there are 2 to the minus shape as many', () => {
    const least = (60_000 * 1.5) / 2.5
    const sample = draw(paretoSessions(60_000, 2.5))
    assert.ok(Math.min(...sample) >= least - 1)
    for (const factor of [2, 4, 8]) {
      const share = sample.filter((ms) => ms > factor * least).length / sample.length
      assert.ok(Math.abs(share - factor ** -2.5) < 0.01, `${share} beyond ${factor} times the least`)
    }
    assert.ok(Math.abs(mean(sample) / 60_000 - 1) < 0.05)
  })

  it('traced: those of the file, each as often as the others', () => {
    const sessions = tracedSessions('# seconds\n10\n20.5\n\n600\n')
    assert.equal(sessions.meanMs, 210_167)
    const sample = draw(sessions)
    for (const ms of [10_000, 20_500, 600_000]) assert.ok(Math.abs(sample.filter((x) => x === ms).length / sample.length - 1 / 3) < 0.02)
    assert.equal(new Set(sample).size, 3)
    assert.throws(() => tracedSessions('10\nlong\n'), InvalidValueError)
    assert.throws(() => paretoSessions(1000, 1), InvalidValueError)
  })
})

describe('crowds', () => {
  it('diurnal: one on average, and swings as far as it was told', () => {
    const wave = diurnal(0.5, 1000)
    const values = Array.from({ length: 1000 }, (_, now) => wave(now))
    assert.ok(Math.abs(values.reduce((sum, x) => sum + x, 0) / 1000 - 1) < 1e-9)
    assert.equal(Math.max(...values), 1.5)
    assert.equal(Math.min(...values), 0.5)
  })

  it('a wave brings more newcomers in its first half than in its second, and as many in all', () => {
    const hourMs = 3_600_000
    const arrivals = [diurnal(0.8, hourMs), undefined].map((wave) => {
      const { simulation } = probed({ nodes: 10 })
      simulation.joinAll({ gapMs: 0 })
      const start = simulation.now
      const times: number[] = []
      const addNode = simulation.addNode.bind(simulation)
      // Newcomers are counted, and not added: only when they come matters here.
      simulation.addNode = () => (times.push(simulation.now - start), simulation.nodes[0]!)
      keepSessions(simulation, simulation.simulator.stream('sessions'), {
        sessions: exponentialSessions(60_000),
        untilMs: start + hourMs,
        graceful: 0,
        ...(wave === undefined ? {} : { wave }),
      })
      for (const node of simulation.running()) simulation.crash(node)
      simulation.run(hourMs)
      assert.ok(addNode !== undefined)
      return times
    })
    const firstHalf = (times: readonly number[]) => times.filter((time) => time < hourMs / 2).length / times.length
    // The integral of a sine over its first half: (1 + 2 · 0.8 / π) / 2.
    assert.ok(Math.abs(firstHalf(arrivals[0]!) - 0.755) < 0.06, `${firstHalf(arrivals[0]!)}`)
    assert.ok(Math.abs(firstHalf(arrivals[1]!) - 0.5) < 0.06)
    for (const times of arrivals) assert.ok(Math.abs(times.length / 600 - 1) < 0.15, `${times.length}`)
  })

  it('a flash crowd comes within its time, and all of it gets in', () => {
    const { simulation } = probed({ nodes: 10 })
    simulation.joinAll({ gapMs: 100 })
    simulation.run(10_000)
    flashCrowd(simulation, Prng.fromSeed(1), { nodes: 20, withinMs: 2000 })
    simulation.run(2000)
    assert.equal(simulation.nodes.length, 30)
    simulation.run(60_000)
    assert.equal(simulation.members.size, 30)
  })

  it('a domain fails as a whole, and nobody else with it', () => {
    const { simulation } = probed({ nodes: 40, topology: transitStub({ ...canTransitStub, stubDomainsPerTransitRouter: 1 }) })
    simulation.joinAll({ gapMs: 0 })
    const domain = (host: number) => simulation.simulator.topology.domainOf!(host)
    const dead = failDomain(simulation, Prng.fromSeed(1))
    assert.ok(dead.length >= 1 && dead.length < 40)
    assert.equal(new Set(dead.map((node) => domain(node.host.index))).size, 1)
    assert.ok(simulation.running().every((node) => domain(node.host.index) !== domain(dead[0]!.host.index)))
  })

  it('a topology without domains has none that could fail', () => {
    const { simulation } = probed({ nodes: 2 })
    simulation.joinAll({ gapMs: 0 })
    assert.throws(() => failDomain(simulation, Prng.fromSeed(1)), /such as transit-stub/)
  })
})

describe('traits of hosts', () => {
  it('make so many slow, and let clocks drift no further than they may', () => {
    const simulator = new Simulator({ seed: 1, topology: uniform(10), traits: { slow: { share: 0.25, ms: 500 }, drift: 0.01 } })
    for (let i = 0; i < 400; i++) simulator.addHost(i.toString(16).padStart(4, '0') as Guid)
    const slow = simulator.hosts.filter(({ index }) => simulator.network.delayMs(index, (index + 1) % 400) > 500).length
    // Slow is a pair of which at least one is: 1 - 0.75².
    assert.ok(Math.abs(slow / 400 - 0.4375) < 0.08, `${slow}`)
    const drifts = simulator.hosts.map(({ index }) => simulator.clocks.shows(index, 1_000_000) / 1_000_000 - 1)
    assert.ok(Math.max(...drifts) <= 0.01 && Math.max(...drifts) > 0.009)
    assert.ok(Math.min(...drifts) >= -0.010001 && Math.min(...drifts) < -0.009)
  })
})

describe('churn in realistic surroundings', () => {
  const small = { seed: 1, nodes: 30, sessionMinutes: 20, minutes: 4, loss: 0 }

  it('with none of it is the same history as without the option', function () {
    this.timeout(60_000)
    assert.equal(runChurn({ ...small, realism: { traits: {} } }).traceHash, runChurn(small).traceHash)
  })

  it('counts upkeep in bytes when messages travel as bytes, which changes nothing else', function () {
    this.timeout(60_000)
    const [plain, encoded] = [runChurn(small), runChurn({ ...small, encode: true })]
    assert.equal(plain.controlBytesPerSecondAndNode, undefined)
    assert.equal(encoded.controlPerSecondAndNode, plain.controlPerSecondAndNode)
    // A message has some ten bytes at least, and some hundred with a leaf set in it.
    const each = encoded.controlBytesPerSecondAndNode! / encoded.controlPerSecondAndNode
    assert.ok(each > 10 && each < 2000, `${each}`)
  })

  it('with all of it brings most lookups to their roots', function () {
    this.timeout(60_000)
    const realism = {
      accessLinks: { up: 16_000, down: 64_000, queueMs: 1000 },
      traits: { drift: 0.001, slow: { share: 0.05, ms: 300 } },
      jitterMs: 20,
      sessions: paretoSessions(20 * 60_000, 1.5),
      wave: diurnal(0.5, 240_000),
      flashCrowd: 0.5,
      domainFailures: 1,
    }
    const result = runChurn({ ...small, realism })
    assert.ok(result.lookups > 40)
    assert.ok(result.lossRate < 0.1, `${result.lossRate}`)
  })
})

function probed(options: Partial<SimulationOptions> & { readonly nodes: number }) {
  const log = new ProbeLog()
  const simulation = new Simulation({
    seed: 1,
    topology: uniform(10),
    overlay: pastry(),
    applications: () => [log.application()],
    encode: true,
    ...options,
  })
  return { simulation, log }
}
