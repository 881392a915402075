import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import type { KbrEvent, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { Probing, Proximity } from '../src/index.ts'
import type { ProbingHost } from '../src/index.ts'

function ref(id: string, epoch = 1): NodeRef {
  return { id: id as Guid, address: `test:${id}`, epoch }
}

/** Knows the node `aa`; writes down what it is made to do. */
class Host implements ProbingHost {
  readonly config = { probesMax: 2, probeRetries: 2, probeTimeoutMs: 3_000, probeTimeoutMinMs: 100, heartbeatMs: 30_000 }
  readonly proximity = new Proximity(8)
  readonly log: string[] = []
  readonly fx = {
    startTimer: (_kind: string, seq: number, delayMs: number) => this.log.push(`timer ${seq} ${delayMs}`),
    emit: (event: KbrEvent) => this.log.push(event.type),
    peerRecovered: (peer: NodeRef) => this.log.push(`recovered ${peer.id}`),
  } as unknown as OverlayEffects
  private seq = 0

  nextSeq(): number {
    return ++this.seq
  }

  find(id: Guid): NodeRef | undefined {
    return id === 'aa' ? ref('aa') : undefined
  }

  ping(to: NodeRef, seq: number): void {
    this.log.push(`ping ${to.id} ${seq}`)
  }

  /** What was done since the last call. */
  get done(): readonly string[] {
    return this.log.splice(0)
  }
}

describe('Probing', () => {
  it('asks three times, and only then takes a silent peer to be dead', () => {
    const host = new Host()
    const probing = new Probing(host)
    probing.start(ref('bb'), false, 0, host.fx)
    assert.deepEqual(host.done, ['ping bb 1', 'timer 1 3000'])
    assert.equal(probing.expired(1, 3_000, host.fx), undefined)
    assert.equal(probing.expired(1, 3_000, host.fx), undefined, 'the wait of a ping that was repeated')
    assert.deepEqual(host.done, ['ping bb 2', 'timer 2 3000'])
    assert.equal(probing.expired(2, 6_000, host.fx), undefined)
    assert.deepEqual(host.done, ['ping bb 3', 'timer 3 3000'])
    assert.deepEqual(probing.expired(3, 9_000, host.fx), ref('bb'))
  })

  it('waits four round trips where one is known, within bounds', () => {
    const host = new Host()
    const probing = new Probing(host)
    host.proximity.sample('aa' as Guid, 50)
    host.proximity.sample('bb' as Guid, 1)
    probing.start(ref('aa'), false, 0, host.fx)
    probing.start(ref('bb'), false, 0, host.fx)
    assert.deepEqual(host.done, ['ping aa 1', 'timer 1 200', 'ping bb 2', 'timer 2 100'])
  })

  it('takes any message for an answer, and tells the round trip of the pong that brought it', () => {
    const host = new Host()
    const probing = new Probing(host)
    probing.start(ref('bb'), false, 1_000, host.fx)
    probing.heard(ref('bb'), 1_040, host.fx)
    assert.equal(probing.size, 0)
    assert.equal(probing.roundTrip(1, 1_040), 40)
    assert.equal(probing.roundTrip(2, 1_040), undefined)
  })

  it('suspects until it hears, from this incarnation', () => {
    const host = new Host()
    const probing = new Probing(host)
    probing.start(ref('bb', 2), true, 0, host.fx)
    assert.deepEqual([...probing.suspects], ['bb'])
    probing.heard(ref('bb', 1), 10, host.fx)
    assert.deepEqual([...probing.suspects], ['bb'])
    probing.heard(ref('bb', 2), 20, host.fx)
    assert.deepEqual([...probing.suspects], [])
    assert.deepEqual(host.done, ['peer-suspected', 'ping bb 1', 'timer 1 3000', 'recovered bb'])
  })

  it('becomes a suspicion when it was a question before, without another ping', () => {
    const host = new Host()
    const probing = new Probing(host)
    probing.start(ref('bb'), false, 0, host.fx)
    probing.start(ref('bb'), true, 10, host.fx)
    assert.deepEqual(host.done, ['ping bb 1', 'timer 1 3000', 'peer-suspected'])
  })

  it('leaves strangers out when full, and never a node of the tables', () => {
    const host = new Host()
    const probing = new Probing(host)
    for (const id of ['bb', 'cc', 'dd', 'aa']) probing.start(ref(id), false, 0, host.fx)
    assert.deepEqual(
      ['bb', 'cc', 'dd', 'aa'].map((id) => probing.has(id as Guid)),
      [true, true, false, true],
    )
  })

  it('does not look again for one that others call dead shortly after it answered', () => {
    const host = new Host()
    const probing = new Probing(host)
    probing.verify(ref('bb'), 0, host.fx)
    assert.ok(probing.isDoubted('bb' as Guid))
    probing.heard(ref('bb'), 10, host.fx)
    probing.verify(ref('bb'), 30_010, host.fx)
    assert.ok(!probing.has('bb' as Guid))
    probing.verify(ref('bb'), 30_011, host.fx)
    assert.ok(probing.has('bb' as Guid))
  })
})
