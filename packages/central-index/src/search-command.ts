import type { AppEffects, Millis } from '@plaxton/kbr'
import { Command } from './command.ts'
import type { CommandInit } from './command.ts'
import type { ClientParts } from './parts.ts'

/** Asks the servers for files by words in their names. Step (1) of Napster's protocol. */
export class SearchCommand extends Command {
  protected readonly verb = 'the search'
  private readonly words: readonly string[]
  private readonly max: number

  constructor(parts: ClientParts, init: CommandInit, words: readonly string[], max: number) {
    super(parts, init)
    this.words = words
    this.max = max
  }

  protected run(now: Millis, fx: AppEffects): void {
    this.progress('asking', `which names have the words ${this.words.join(', ')}?`, fx)
    const { words, max } = this
    this.askServers(
      { type: 'search', words, max },
      { suffices: (answer) => answer.type === 'found' && answer.files.length > 0 },
      now,
      fx,
      (answer, _time, effects) => this.succeed(answer.type === 'found' ? answer.files.slice(0, max) : [], effects),
    )
  }
}
