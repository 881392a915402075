import assert from 'node:assert/strict'
import { InvalidValueError, Prng } from '@plaxton/kbr'
import { Network, cut, lost } from '../src/network.ts'
import type { NetworkConfig } from '../src/network.ts'
import { uniform } from '../src/topology.ts'

describe('the network', () => {
  it('delivers after the latency of the link when nothing is wrong', () => {
    assert.equal(network().delayMs(0, 1), 20)
  })

  it('loses the share of messages it was told to', () => {
    const lossy = network({ loss: 0.1 })
    let losses = 0
    for (let i = 0; i < 10_000; i++) if (lossy.delayMs(0, 1) === lost) losses++
    assert.ok(Math.abs(losses - 1000) < 100, `${losses}`)
  })

  it('loses on one link and in one direction when told so', () => {
    const net = network()
    net.setLinkLoss(0, 1, 1)
    assert.deepEqual([net.delayMs(0, 1), net.delayMs(1, 0), net.delayMs(0, 2)], [lost, 20, 20])
    net.setLinkLoss(0, 1, undefined)
    assert.equal(net.delayMs(0, 1), 20)
  })

  it('cuts a partition both ways, leaves the sides whole, and heals', () => {
    const net = network()
    net.partition([[2, 3]])
    assert.deepEqual([net.delayMs(0, 1), net.delayMs(2, 3), net.delayMs(0, 2), net.delayMs(2, 0)], [20, 20, cut, cut])
    net.heal()
    assert.equal(net.delayMs(0, 2), 20)
  })

  it('cuts one way only when the partition is asymmetric', () => {
    const net = network()
    net.partition([[2]], { oneWay: true })
    assert.deepEqual([net.delayMs(0, 2), net.delayMs(2, 0)], [20, cut])
  })

  it('adds the slowness of both ends', () => {
    const net = network()
    net.setSlowness(0, 100)
    net.setSlowness(1, 50)
    assert.deepEqual([net.delayMs(0, 1), net.delayMs(1, 2), net.delayMs(2, 3)], [170, 70, 20])
  })

  it('jitters between the latency and the most it may add', () => {
    const net = network({ jitterMs: 5 })
    const seen = new Set(Array.from({ length: 500 }, () => net.delayMs(0, 1)))
    assert.deepEqual(
      [...seen].sort((a, b) => a - b),
      [20, 21, 22, 23, 24, 25],
    )
  })

  it('refuses a probability that is none', () => {
    assert.throws(() => network({ loss: 1.5 }), InvalidValueError)
  })
})

function network(config: Partial<NetworkConfig> = {}): Network {
  return new Network(uniform(20)(Prng.fromSeed(0)), config, Prng.fromSeed('loss'), Prng.fromSeed('jitter'))
}
