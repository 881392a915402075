import { textNode } from './svg.ts'
import { faint, ink, lineStyles, soft } from './style.ts'

/** An HTML file that needs nothing else, readable on light and on dark: this title, and this body as text that is HTML already. */
export function document(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${textNode(title)}</title>
<style>${style}</style>
</head>
<body>
${body}
</body>
</html>
`
}

/** Drawings name their colours; on a dark page the style sheet, which goes before what an element says of itself, puts others in their places. */
const onDark = [
  [ink, 'var(--ink)'],
  [soft, 'var(--soft)'],
  [faint, 'var(--faint)'],
  ['white', 'var(--page)'],
  ['#ffffff', 'var(--page)'],
  ...lineStyles.map(({ colour, onDark: twin }) => [colour, twin] as const),
]
  .map(([colour, twin]) => `    svg [fill='${colour}'] { fill: ${twin} } svg [stroke='${colour}'] { stroke: ${twin} }`)
  .join('\n')

const style = `
  :root { --ink: ${ink}; --soft: ${soft}; --faint: ${faint}; --line: #e4e4e4; --page: #fff; --code: #f3f3f3; --good: #00694c; --bad: #a33b00 }
  @media (prefers-color-scheme: dark) {
    :root { --ink: #e6e6e6; --soft: #a8a8a8; --faint: #3c4046; --line: #33373d; --page: #16181c; --code: #25292f; --good: #56cfa3; --bad: #f59a62 }
${onDark}
  }
  body { font: 15px/1.45 system-ui, 'DejaVu Sans', sans-serif; color: var(--ink); background: var(--page); margin: 2rem auto; padding: 0 1rem; max-width: 1080px }
  h1 { font-size: 1.6rem; margin-bottom: .4rem }
  h2 { font-size: 1.15rem; margin: 2.4rem 0 1rem; padding-bottom: .3rem; border-bottom: 2px solid var(--ink) }
  h3 { font-size: 1rem; margin: 2rem 0 .3rem }
  a { color: inherit }
  p { margin: .4rem 0; max-width: 80ch }
  code { background: var(--code); padding: .1em .3em; overflow-wrap: anywhere }
  .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); gap: 1rem }
  figure { margin: 0; padding: .9rem 1rem .7rem; border: 1px solid var(--line); border-radius: 6px; break-inside: avoid }
  .sentence figcaption { min-height: 4.35em }
  figcaption b { display: block }
  svg { display: block; width: 100%; height: auto }
  .wide { overflow-x: auto; margin: .8rem 0 }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums }
  th, td { padding: .2rem .9rem .2rem 0; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap }
  th:first-child, th.words, td.words { text-align: left }
  th[scope='row'] { text-align: left; font-weight: normal; padding-left: 1rem }
  th.group { text-align: left; padding-top: .8rem }
  .claims { margin: .6rem 0; padding: 0; list-style: none }
  .held, .failed { font-weight: 600; white-space: nowrap }
  .held { color: var(--good) }
  .failed { color: var(--bad) }
  .setup { margin-top: .9rem; color: var(--soft) }
  .note { color: var(--soft) }
`
