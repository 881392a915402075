import assert from 'node:assert/strict'
import { lab } from '../src/commands/lab.ts'
import { captured, runHere } from './support/run-here.ts'

describe('plaxton lab', function () {
  this.timeout(20_000)

  it('hands the rest of the command line on, options and all', async () => {
    const { status, stdout } = await runHere(['lab', 'claims', '--rows', 'anonymity', '--json'])
    assert.equal(status, 0)
    const { overlays } = JSON.parse(stdout) as { overlays: ReadonlyArray<{ exhibits: ReadonlyArray<{ row: string }> }> }
    assert.deepEqual(
      overlays.map(({ exhibits }) => exhibits.map(({ row }) => row)),
      [['anonymity']],
    )
  })

  it('has the help of the lab', async () => {
    const { status, stdout } = await runHere(['lab', '--help'])
    assert.equal(status, 0)
    assert.match(stdout, /compare .*\n/)
    assert.match(stdout, /claims .*\n/)
  })

  it('says how to get the lab where it is not installed', async () => {
    const streams = { stdout: captured().stream, stderr: captured().stream }
    const absent = Object.assign(new Error("Cannot find package '@plaxton/lab' imported from here"), { code: 'ERR_MODULE_NOT_FOUND' })
    await assert.rejects(
      lab(['compare'], streams, () => Promise.reject(absent)),
      { code: 'ERR_NO_LAB', message: /npm install @plaxton\/lab$/ },
    )
  })

  it('does not call it missing when something else is', async () => {
    const streams = { stdout: captured().stream, stderr: captured().stream }
    const absent = Object.assign(new Error("Cannot find package 'elsewhere'"), { code: 'ERR_MODULE_NOT_FOUND' })
    await assert.rejects(
      lab([], streams, () => Promise.reject(absent)),
      absent,
    )
  })
})
