import { maxNameBytes, maxQueryWords, maxWordBytes } from './messages.ts'

/** Words by which one name can be found. A longer name is found by its first words only. Our guess: few names have more. */
const maxWordsPerName = 16

/**
 * The words of a name: runs of letters and digits, in lower case, each once, in their order. `Miles Davis - So_What (1959).mp3` has the words miles, davis,
 * so, what, 1959 and mp3. Accents count; a word longer than 64 bytes of UTF-8 is left out.
 */
export function wordsOf(name: string, max: number = maxWordsPerName): string[] {
  const runs =
    name
      .normalize('NFC')
      .toLowerCase()
      .match(/[\p{L}\p{N}\p{M}]+/gu) ?? []
  return [...new Set(runs)].filter((word) => utf8Length(word) <= maxWordBytes).slice(0, max)
}

/** The words of a question, at most 8; further ones are not asked for. */
export function queryWords(text: string): string[] {
  return wordsOf(text, maxQueryWords)
}

/** Whether a name can be listed: at most 255 bytes of UTF-8, no half of a pair of surrogates. */
export function isName(name: unknown): name is string {
  return typeof name === 'string' && utf8Length(name) <= maxNameBytes && !/\p{Surrogate}/u.test(name)
}

/** Bytes of the text as UTF-8. */
function utf8Length(text: string): number {
  let length = 0
  for (const character of text) {
    const code = character.codePointAt(0)!
    length += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return length
}
