import assert from 'node:assert/strict'
import { commonRuns, experiments } from '@plaxton/simulator'
import type { Listing } from '@plaxton/simulator'
import { commands } from '../src/commands.ts'
import { lab } from './command-line.ts'

describe('plaxton lab list', () => {
  it('names every experiment once, with paper, setup and cost', async () => {
    const { out: text } = await lab('list')
    const names = [
      ...['compare', 'claims', 'fuzz'].map((word) => `npm run lab -- ${word}`),
      ...Object.keys(commonRuns).map((word) => `npm run simulate -- ${word}`),
      ...Object.entries(experiments).flatMap(([family, words]) => Object.keys(words).map((word) => `npm run lab -- run ${family} ${word}`)),
    ]
    const lines = text.split('\n')
    for (const name of names) {
      const at = lines.indexOf(name)
      assert.ok(at >= 0, name)
      assert.equal(lines.lastIndexOf(name), at)
      for (const [i, word] of ['paper', 'setup', 'cost'].entries()) assert.match(lines[at + 2 + i]!, new RegExp(`^    ${word} +\\S`))
    }
    assert.equal(lines.filter((line) => line.startsWith('npm run')).length, names.length)
  })

  it('--json has the same, and costs that are powers of ten or nothing', async () => {
    const all = JSON.parse((await lab('list', '--json')).out) as Array<Listing & { command: string }>
    assert.ok(all.length > 25)
    for (const { command, says, paper, setup, messages } of all) {
      assert.ok(says !== '' && paper !== '' && setup !== '', command)
      assert.ok(messages === 0 || Number.isInteger(Math.log10(messages)), command)
    }
  })

  it('the help says something of every command there is', async () => {
    const { out: help } = await lab('--help')
    for (const word of Object.keys(commands)) assert.match(help, new RegExp(`^  ${word} `, 'm'))
  })
})
