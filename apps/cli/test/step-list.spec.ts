import assert from 'node:assert/strict'
import { Output } from '../src/output/output.ts'
import { StepList } from '../src/up/step-list.ts'
import { waitUntil } from '../src/up/wait-until.ts'
import { captured } from './support/run-here.ts'
import type { StepFailedError } from '../src/up/step-list.ts'

describe('the steps of a job', () => {
  const never = new AbortController().signal

  function list(json: boolean): { steps: StepList; written: () => string } {
    const out = captured()
    const steps = new StepList(new Output(json, { stdout: out.stream, stderr: captured().stream }))
    return { steps, written: () => out.bytes().toString('utf8') }
  }

  it('are told with their details as they happen, and left out ones without a time', async () => {
    const { steps, written } = list(false)
    await steps.run('one', never, async () => ({ title: 'Did one thing', details: ['and looked at it'] }))
    assert.match(written(), /^ {2}✓ {2}Did one thing {2,}\S+ ms\n {5}and looked at it\n$/)
    await steps.run('two', never, async () => ({ title: 'Nothing to do', skipped: true }))
    assert.match(written(), /\n {2}– {2}Nothing to do\n$/)
  })

  it('name the one that did not hold', async () => {
    const { steps, written } = list(false)
    const failing = steps.run('read', never, async () => {
      throw new Error('a file came back as other bytes')
    })
    await assert.rejects(failing, (error: StepFailedError) => {
      assert.equal(error.step, 'read')
      assert.equal(error.message, 'the step "read" failed: a file came back as other bytes')
      return true
    })
    assert.match(written(), /^ {2}✗ {2}read: a file came back as other bytes {2,}\S+ ms\n$/)
    assert.deepEqual(
      steps.reports.map(({ name, outcome }) => [name, outcome]),
      [['read', 'failed']],
    )
  })

  it('are silent with --json, and reported at the end', async () => {
    const { steps, written } = list(true)
    await steps.run('one', never, async () => ({ title: 'Did one thing' }))
    assert.equal(written(), '')
    assert.deepEqual(
      steps.reports.map((report) => ({ ...report, elapsedMs: 0 })),
      [{ name: 'one', outcome: 'held', title: 'Did one thing', details: [], elapsedMs: 0 }],
    )
  })

  it('end with the reason of the signal, which is no failure of theirs', async () => {
    const { steps } = list(false)
    const controller = new AbortController()
    const running = steps.run('one', controller.signal, async () => {
      controller.abort(new Error('Ctrl-C'))
      throw new Error('cut short')
    })
    await assert.rejects(running, /^Error: Ctrl-C$/)
    assert.deepEqual(steps.reports, [])
  })
})

describe('waiting', () => {
  const wait = { complaint: 'blocks lack copies', everyMs: 1, signal: new AbortController().signal }

  it('ends when nothing is missing', async () => {
    let missing = 3
    await waitUntil({ ...wait, withinMs: 5_000, missing: () => missing-- })
    assert.equal(missing, -1)
  })

  it('ends in time, saying how much is missing', async () => {
    await assert.rejects(waitUntil({ ...wait, withinMs: 20, missing: () => 7 }), {
      code: 'ERR_DEADLINE',
      message: '7 blocks lack copies after 20 ms',
    })
  })
})
