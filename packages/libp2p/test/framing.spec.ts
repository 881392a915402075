import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Deframer, lengthOfLength, writeLength } from '../src/framing.ts'
import { FrameQueue, framed } from '../src/frame-queue.ts'
import { ByteBudget } from '../src/limits.ts'

describe('framing', () => {
  it('writes lengths as unsigned LEB128 varints', () => {
    const encodings: Array<[number, number[]]> = [
      [1, [0x01]],
      [127, [0x7f]],
      [128, [0x80, 0x01]],
      [300, [0xac, 0x02]],
      [16_384, [0x80, 0x80, 0x01]],
      [1_114_112, [0x80, 0x80, 0x44]],
      [2_097_152, [0x80, 0x80, 0x80, 0x01]],
    ]
    for (const [length, bytes] of encodings) {
      const into = new Uint8Array(lengthOfLength(length))
      assert.equal(writeLength(length, into, 0), bytes.length)
      assert.deepEqual([...into], bytes)
    }
  })

  it('gives back the frames however the bytes were cut into chunks', () => {
    const frames = fc.array(fc.uint8Array({ minLength: 1, maxLength: 400 }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1 }), (sent, cuts) => {
        const received: Uint8Array[] = []
        const deframer = new Deframer(400, (frame) => received.push(frame.slice()))
        for (const chunk of cutUp(concat(sent.map(framed)), cuts)) deframer.push(chunk)
        assert.deepEqual(received, sent)
        assert.equal(deframer.midFrame, false)
        assert.equal(deframer.heldBytes, 0)
      }),
    )
  })

  it('hands out a frame that came whole as a view, without copying', () => {
    const chunk = framed(new Uint8Array(50).fill(7))
    const deframer = new Deframer(100, (frame) => assert.equal(frame.buffer, chunk.buffer))
    deframer.push(chunk)
  })

  it('holds no more than twice what has arrived of a frame, whatever length was announced', () => {
    const deframer = new Deframer(1 << 20, () => assert.fail('no frame is complete'))
    deframer.push(Uint8Array.from([0x80, 0x80, 0x40]))
    assert.ok(deframer.heldBytes <= 1024)
    for (let arrived = 4096; arrived < 1 << 20; arrived += 4096) {
      deframer.push(new Uint8Array(4096))
      assert.ok(deframer.heldBytes <= 2 * arrived)
    }
  })

  const breaches: Array<[string, number[]]> = [
    ['a frame of no bytes', [0x00]],
    ['a frame above the limit', [0x65]],
    ['a length of five bytes', [0x80, 0x80, 0x80, 0x80]],
  ]
  for (const [what, bytes] of breaches) {
    it(`refuses ${what}`, () => {
      const deframer = new Deframer(100, () => assert.fail('there is no frame'))
      assert.throws(() => deframer.push(Uint8Array.from(bytes)), { code: 'ERR_LINK_PROTOCOL' })
    })
  }

  it('survives any bytes: frames, or a named refusal', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), (chunks) => {
        const deframer = new Deframer(100, (frame) => assert.ok(frame.length >= 1 && frame.length <= 100))
        try {
          for (const chunk of chunks) deframer.push(chunk)
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'ERR_LINK_PROTOCOL')
        }
      }),
    )
  })
})

describe('FrameQueue', () => {
  it('packs as many frames as fit into a batch, in order', () => {
    const queue = new FrameQueue(10_000, new ByteBudget(10_000))
    for (const length of [10, 20, 30]) queue.push(new Uint8Array(length).fill(length))
    assert.deepEqual(queue.takeBatch(32), {
      bytes: concat([framed(new Uint8Array(10).fill(10)), framed(new Uint8Array(20).fill(20))]),
      frames: 2,
    })
    assert.deepEqual(queue.takeBatch(32), { bytes: framed(new Uint8Array(30).fill(30)), frames: 1 })
    assert.equal(queue.takeBatch(32), undefined)
  })

  it('sends a frame larger than a batch by itself', () => {
    const queue = new FrameQueue(10_000, new ByteBudget(10_000))
    queue.push(new Uint8Array(100))
    assert.equal(queue.takeBatch(32)?.bytes.length, 101)
  })

  it('is full at its own limit and at the shared one, and has room again for what left', () => {
    const shared = new ByteBudget(1_000)
    const one = new FrameQueue(500, shared)
    const other = new FrameQueue(5_000, shared)
    assert.equal(one.push(new Uint8Array(300)), true)
    assert.equal(one.push(new Uint8Array(300)), false)
    assert.equal(other.push(new Uint8Array(500)), true)
    assert.equal(other.push(new Uint8Array(100)), false)
    one.clear()
    assert.equal(other.push(new Uint8Array(100)), true)
    other.clear()
    assert.equal(shared.used, 0)
  })
})

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

function* cutUp(bytes: Uint8Array, cuts: readonly number[]): Iterable<Uint8Array> {
  for (let offset = 0, i = 0; offset < bytes.length; i++) {
    const length = cuts[i % cuts.length] as number
    yield bytes.slice(offset, offset + length)
    offset += length
  }
}
