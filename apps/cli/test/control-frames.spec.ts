import assert from 'node:assert/strict'
import fc from 'fast-check'
import { encodeFrame, maxBodyBytes, maxHeaderBytes, readFrames } from '../src/control/frames.ts'
import type { Frame } from '../src/control/frames.ts'

describe('frames of the control socket', () => {
  it('come out as they went in, however their bytes are cut', async () => {
    const frames = fc.array(
      fc.record({
        type: fc.string({ minLength: 1 }),
        extra: fc.jsonValue({ maxDepth: 2 }),
        body: fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined }),
      }),
      { maxLength: 8 },
    )
    await fc.assert(
      fc.asyncProperty(frames, fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1 }), async (sent, cuts) => {
        const bytes = Buffer.concat(sent.map(({ type, extra, body }) => encodeFrame({ type, extra }, body)))
        const received = await all(readFrames(pieces(bytes, cuts)))
        assert.equal(received.length, sent.length)
        received.forEach(({ header, body }, index) => {
          const { type, extra, body: sentBody } = sent[index]!
          assert.deepEqual(header, JSON.parse(JSON.stringify({ type, extra })))
          assert.deepEqual(body && [...body], sentBody && [...sentBody])
        })
      }),
      { numRuns: 200 },
    )
  })

  it('may have a body of no bytes, which is not no body', async () => {
    const [empty, none] = await all(
      readFrames(pieces(Buffer.concat([encodeFrame({ type: 'a' }, new Uint8Array(0)), encodeFrame({ type: 'b' })]))),
    )
    assert.equal(empty!.body?.length, 0)
    assert.equal(none!.body, undefined)
  })

  it('are as large as is allowed, and no larger', async () => {
    const body = new Uint8Array(maxBodyBytes).fill(7)
    const [frame] = await all(readFrames(pieces(encodeFrame({ type: 'data' }, body), [4096])))
    assert.deepEqual(Buffer.from(frame!.body!), Buffer.from(body))
    assert.throws(() => encodeFrame({ type: 'data' }, new Uint8Array(maxBodyBytes + 1)), RangeError)
    assert.throws(() => encodeFrame({ type: 'x'.repeat(maxHeaderBytes) }), RangeError)
  })

  const garbage: ReadonlyArray<readonly [what: string, bytes: string, complaint: RegExp]> = [
    ['what is not JSON', 'GET / HTTP/1.1\r\n\r\n', /not JSON/],
    ['a list', '[]\n', /no object|not an object/],
    ['null', 'null\n', /not an object/],
    ['an object without a type', '{"bytes":1}\nx', /no type/],
    ['a body larger than allowed', `{"type":"data","bytes":${maxBodyBytes + 1}}\n`, /allowed is 0 to/],
    ['a body of negative length', '{"type":"data","bytes":-1}\n', /allowed is 0 to/],
    ['a body of broken length', '{"type":"data","bytes":1.5}\n', /allowed is 0 to/],
    ['a body whose length is a text', '{"type":"data","bytes":"12"}\n', /allowed is 0 to/],
    ['a header without end', `{"type":"${'x'.repeat(maxHeaderBytes)}`, /longer than/],
    ['an end within a header', '{"type":"da', /within a header/],
    ['an end within a body', '{"type":"data","bytes":5}\nabc', /within a body/],
  ]
  for (const [what, bytes, complaint] of garbage) {
    it(`refuse ${what}`, async () => {
      await assert.rejects(all(readFrames(pieces(Buffer.from(bytes), [1000]))), { code: 'ERR_CONTROL_PROTOCOL', message: complaint })
    })
  }

  it('end in a protocol error or in frames, whatever the bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        await all(readFrames(pieces(bytes))).catch((error: { code?: string }) => assert.equal(error.code, 'ERR_CONTROL_PROTOCOL'))
      }),
    )
  })

  it('are read no further than somebody takes them', async () => {
    let taken = 0
    async function* source(): AsyncGenerator<Uint8Array> {
      for (;;) {
        taken++
        yield encodeFrame({ type: 'data' }, new Uint8Array(100))
      }
    }
    const frames = readFrames(source())
    for (let i = 0; i < 3; i++) await frames.next()
    assert.equal(taken, 3)
  })
})

async function all(frames: AsyncIterable<Frame>): Promise<Frame[]> {
  const received: Frame[] = []
  for await (const frame of frames) received.push(frame)
  return received
}

/** `bytes` in pieces of these lengths, over and over. */
async function* pieces(bytes: Uint8Array, lengths: readonly number[] = [1]): AsyncGenerator<Uint8Array> {
  for (let offset = 0, i = 0; offset < bytes.length; i++) {
    const length = lengths[i % lengths.length]!
    yield bytes.subarray(offset, offset + length)
    offset += length
  }
}
