import assert from 'node:assert/strict'
import { grantWindowByHalves } from '../src/window-updates.ts'
import type { Stream } from '@libp2p/interface'

describe('window updates', () => {
  it('are sent when half of the window is used up, and not before', () => {
    const stream = {
      recvWindow: 1000,
      recvWindowCapacity: 1000,
      granted: [] as number[],
      sendWindowUpdate(): void {
        stream.granted.push(stream.recvWindow - stream.recvWindowCapacity)
        stream.recvWindowCapacity = stream.recvWindow
      },
    }
    grantWindowByHalves(stream as unknown as Stream)
    for (let i = 0; i < 12; i++) {
      stream.recvWindowCapacity -= 100
      stream.sendWindowUpdate()
    }
    assert.deepEqual(stream.granted, [500, 500])
  })

  it('of a stream that is not of yamux are left alone', () => {
    const stream = { sendWindowUpdate: () => 'own' }
    grantWindowByHalves(stream as unknown as Stream)
    assert.equal(stream.sendWindowUpdate(), 'own')
  })
})
