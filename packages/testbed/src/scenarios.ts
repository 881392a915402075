import assert from 'node:assert/strict'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'

/**
 * Exchanges as text: files of commands and what came of them. `play` writes down what happens now, from such a text; the two must be the same. `UPDATE=1` writes the files
 * anew; commit a change only if you understand it.
 */
export function describeScenarios(folder: URL, play: (text: string) => string): void {
  describe('the scenario', () => {
    for (const name of readdirSync(folder)) {
      it(name.replace('.txt', '').replaceAll('-', ' '), () => {
        const file = new URL(name, folder)
        const written = readFileSync(file, 'utf8')
        const played = play(written)
        if (process.env['UPDATE'] === '1') writeFileSync(file, played)
        assert.equal(played, readFileSync(file, 'utf8'))
      })
    }
  })
}

/** For texts of blocks set apart by empty lines, each of commands and, after `----`, what came of them. `run` says what comes of the commands of a block. */
export function playBlocks(text: string, run: (commands: readonly string[][]) => readonly string[]): string {
  const blocks = text.trimEnd().split('\n\n')
  const played = blocks.map((block) => {
    const commands = block.split('\n----')[0]!
    const lines = commands.split('\n').filter((line) => !line.startsWith('#'))
    return `${commands}\n----\n${run(lines.map((line) => line.split(' '))).join('\n')}`.trimEnd()
  })
  return `${played.join('\n\n')}\n`
}
