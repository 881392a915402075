const begin = '<!-- figures -->'
const end = '<!-- end of figures -->'

/** The text with the tables between its two marks, and the command that repeats them. */
export function withSection(readme: string, command: string, tables: readonly string[]): string {
  const from = readme.indexOf(begin)
  const to = readme.indexOf(end)
  if (from === -1 || to < from) throw new Error(`the README has no place for figures: ${begin} … ${end}`)
  return `${readme.slice(0, from + begin.length)}\n\n\`${command}\`\n\n${tables.join('\n\n')}\n\n${readme.slice(to)}`
}
