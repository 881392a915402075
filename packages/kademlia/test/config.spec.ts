import assert from 'node:assert/strict'
import { kademlia, kademliaDefaults } from '../src/index.ts'
import type { KademliaConfig } from '../src/index.ts'
import { kademliaConfig } from '../src/config.ts'

describe('the configuration', () => {
  it('is the defaults with the changes', () => {
    assert.deepEqual(kademliaConfig({ alpha: 5 }), { ...kademliaDefaults, alpha: 5 })
    assert.equal(kademlia().name, 'kademlia')
  })

  it('refuses what is out of range, names the field, the value and the range', () => {
    for (const [changes, field] of [
      [{ bucketSize: 0 }, 'bucketSize'],
      [{ bucketSize: 33 }, 'bucketSize'],
      [{ alpha: 1.5 }, 'alpha'],
      [{ siblings: 19 }, 'siblings'],
      [{ probeTimeoutMinMs: 4_000 }, 'probeTimeoutMinMs'],
      [{ nonsense: 1 }, 'nonsense'],
    ] as Array<[Partial<KademliaConfig>, string]>) {
      assert.throws(() => kademlia(changes), { code: 'ERR_INVALID_VALUE', message: new RegExp(`kademlia\\.${field}`) })
    }
  })
})
