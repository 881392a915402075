/** Attributes by name; numbers are written with at most two decimals. */
export type Attributes = Readonly<Record<string, string | number>>

/** An element as text. Children are texts that are elements already; see {@link textNode} for words. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escape(typeof value === 'number' ? short(value) : value)}"`)
  return `<${name}${written.join('')}>${children.join('')}</${name}>`
}

/** Words inside an element. */
export function textNode(words: string): string {
  return escape(words)
}

/** A number without needless decimals. */
export function short(value: number): string {
  return String(Math.round(value * 100) / 100)
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
