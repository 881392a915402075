import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import type { Effects, Message, Millis } from '@plaxton/kbr'
import type { Process } from '../src/host.ts'
import { SimulationError, Simulator } from '../src/simulator.ts'
import type { SimulatorOptions } from '../src/simulator.ts'
import { uniform } from '../src/topology.ts'
import { ToyCore } from './toy-core.ts'

describe('the simulator', () => {
  it('carries a message in the latency of its link and the answer back', () => {
    const { sim, processes, diary } = toys(2)
    sim.step(processes[0]!, (_now, fx) => fx.send(processes[1]!.self, ping('hi')))
    sim.run(100)
    assert.deepEqual(diary(1), ['20 ping hi from sim:0#1'])
    assert.deepEqual(diary(0), ['40 pong hi from sim:1#1'])
    assert.equal(sim.now, 100)
  })

  it('lets a timer come due after its delay, and not once the process has died', () => {
    const { sim, processes, diary } = toys(1)
    const start = (kind: string, delayMs: Millis) =>
      sim.step(processes[0]!, (_now, fx) => fx.startTimer({ owner: 'toy', kind, arg: 3 }, delayMs))
    start('early', 10)
    start('late', 50)
    sim.run(20)
    sim.kill(processes[0]!)
    sim.run(100)
    assert.deepEqual(diary(0), ['10 timer early 3'])
  })

  it('takes times to the nearest millisecond', () => {
    const { sim } = toys(1)
    const at: Millis[] = []
    sim.run(0.4)
    sim.at(10.6, () => at.push(sim.now))
    sim.run(66_000.00000000001)
    assert.deepEqual([...at, sim.now], [11, 66_000])
  })

  it('lets go of what a process knew that has ended', () => {
    const { sim, processes } = toys(1)
    sim.kill(processes[0]!)
    assert.throws(() => processes[0]!.core, /has ended/)
  })

  it('loses messages to a dead host in silence when the network gives no notice', () => {
    const { sim, processes, diary } = toys(2)
    sim.kill(processes[1]!)
    sim.step(processes[0]!, (_now, fx) => fx.send(processes[1]!.self, ping('hi')))
    sim.run(10_000)
    assert.deepEqual(diary(0), [])
    assert.equal(sim.counts.dropsByReason().get('dead host'), 1)
  })

  it('gives one notice per failed attempt when the network does', () => {
    const { sim, processes, diary } = toys(2, { network: { noticeMs: 300 } })
    sim.kill(processes[1]!)
    for (const text of ['one', 'two']) sim.step(processes[0]!, (_now, fx) => fx.send(processes[1]!.self, ping(text)))
    sim.run(1000)
    assert.deepEqual(diary(0), ['300 unreachable sim:1#1'])
    sim.step(processes[0]!, (_now, fx) => fx.send(processes[1]!.self, ping('three')))
    sim.run(1000)
    assert.deepEqual(diary(0).slice(1), ['1300 unreachable sim:1#1'])
  })

  it('tells those connected to a process that dies, both who called and who was called', () => {
    const { sim, processes, diary } = toys(4, { network: { noticeMs: 300 } })
    sim.step(processes[0]!, (_now, fx) => fx.send(processes[1]!.self, ping('out')))
    sim.step(processes[1]!, (_now, fx) => fx.send(processes[2]!.self, ping('on')))
    sim.run(100)
    sim.kill(processes[1]!)
    sim.run(100)
    assert.equal(diary(0).at(-1), '120 disconnected sim:1#1')
    assert.equal(diary(2).at(-1), '120 disconnected sim:1#1')
    assert.deepEqual(diary(3), [])
  })

  it('notices a partition like a dead host', () => {
    const { sim, processes, diary } = toys(2, { network: { noticeMs: 300 } })
    sim.network.partition([[1]])
    sim.step(processes[0]!, (_now, fx) => fx.send(processes[1]!.self, ping('hi')))
    sim.run(1000)
    assert.deepEqual(diary(0), ['300 unreachable sim:1#1'])
    assert.deepEqual(diary(1), [])
  })

  it('starts a host again under the same id with the next epoch, the disk still there', () => {
    const { sim, processes, diary } = toys(1)
    sim.step(processes[0]!, (_now, fx) => fx.ask('toy', 7, { kind: 'write', entries: [['key', Uint8Array.of(1)]] }))
    sim.run(100)
    assert.deepEqual(diary(0), ['2 toy 7 written'])
    sim.kill(processes[0]!)
    const again = sim.start(sim.hosts[0]!, (self) => new ToyCore(self))
    assert.deepEqual([again.self.id, again.self.epoch, again.host.disk.get('key')], [processes[0]!.self.id, 2, Uint8Array.of(1)])
    sim.kill(again, { wipe: true })
    assert.equal(sim.hosts[0]!.disk.get('key'), undefined)
  })

  it('answers the disk in the order asked: a read sees the write before it', () => {
    const { sim, processes, diary } = toys(1)
    sim.step(processes[0]!, (_now, fx) => {
      fx.ask('toy', 1, { kind: 'write', entries: [['key', Uint8Array.of(1)]] })
      fx.ask('toy', 2, { kind: 'read', key: 'key' })
    })
    sim.run(100)
    assert.deepEqual(diary(0), ['2 toy 1 written', '2 toy 2 read'])
  })

  it('answers signatures at once, but never inside the step that asked', () => {
    const { sim, processes, diary } = toys(1)
    sim.step(processes[0]!, (_now, fx) => {
      fx.ask('toy', 1, { kind: 'sign', message: Uint8Array.of(1) })
      assert.deepEqual(diary(0), [])
    })
    sim.run(0)
    assert.deepEqual(diary(0), ['0 toy 1 signed'])
  })

  it('finds a core that is called again while it steps', () => {
    const { sim, processes } = toys(2)
    assert.throws(() => sim.step(processes[0]!, () => sim.step(processes[1]!, () => {})), /another step was still running/)
  })

  it('finds an effect that is asked for outside a step', () => {
    const { sim } = toys(1)
    const fx: Effects = sim
    assert.throws(() => fx.emit({ type: 'left' }), SimulationError)
  })

  it('says when, where and on which input a core threw', () => {
    const { sim, processes } = toys(1)
    ;(processes[0]!.core as ToyCore).onTimer = () => {
      throw new Error('broken')
    }
    sim.step(processes[0]!, (_now, fx) => fx.startTimer({ owner: 'toy', kind: 'tick', arg: 0 }, 12))
    assert.throws(() => sim.run(100), /^SimulationError: at 12 ms, host 0 \(00000000\), timer toy\/tick: broken$/)
  })

  it('tells listeners after the step', () => {
    const { sim, processes } = toys(1)
    const heard: string[] = []
    sim.onEvent((process, event) => heard.push(`${process.index} ${event.type}`))
    sim.step(processes[0]!, (_now, fx) => {
      fx.emit({ type: 'left' })
      assert.deepEqual(heard, [])
    })
    assert.deepEqual(heard, ['0 left'])
  })

  it('has one history per seed, and another per other seed', () => {
    assert.equal(gossip(1), gossip(1))
    assert.notEqual(gossip(1), gossip(2))
  })
})

function toys(count: number, options: Partial<SimulatorOptions> = {}) {
  const sim = new Simulator({ seed: 1, topology: uniform(20), ...options })
  const processes: Process[] = []
  const cores: ToyCore[] = []
  for (let i = 0; i < count; i++) {
    const host = sim.addHost(i.toString(16).padStart(64, '0') as Guid)
    processes.push(
      sim.start(host, (self) => {
        const core = new ToyCore(self)
        cores.push(core)
        return core
      }),
    )
  }
  return { sim, processes, diary: (index: number) => cores[index]!.diary }
}

function ping(text: string): Message {
  return { type: 'ping', text } as Message
}

/** The hash of a second of pings between random hosts of a lossy, jittery network. */
function gossip(seed: number): string {
  const { sim, processes } = toys(10, { seed, network: { loss: 0.2, jitterMs: 30 } })
  const prng = sim.stream('workload')
  for (let i = 0; i < 200; i++) {
    sim.step(prng.pick(processes)!, (_now, fx) => fx.send(prng.pick(processes)!.self, ping(String(i))))
    sim.run(5)
  }
  return sim.trace.hash
}
