import assert from 'node:assert/strict'
import { figures } from '../src/compare/figures.ts'
import { formatEstimate, formatTick } from '../src/compare/format.ts'
import { axisTo } from '../src/page/axis.ts'
import { renderPage } from '../src/page/page.ts'
import type { ComparedOverlay, Comparison } from '../src/compare/comparison.ts'
import type { FigureName } from '../src/compare/figures.ts'

describe('the page', () => {
  const page = renderPage(comparison([overlay('one'), overlay('two <b>')]))

  it('needs nothing else: no script, no other file, no address but the name of SVG', () => {
    assert.doesNotMatch(page, /<script|<link|@import|url\(|src=/)
    assert.deepEqual([...new Set(page.match(/https?:[^"' ]+/g))], ['http://www.w3.org/2000/svg'])
  })

  it('draws no number that is none, and writes no name as markup', () => {
    assert.doesNotMatch(page, /NaN|Infinity|undefined|null/)
    assert(page.includes('two &lt;b&gt;'))
    assert(!page.includes('two <b>'))
  })

  it('shows every figure in its table', () => {
    for (const { title } of Object.values(figures)) assert(page.includes(`<th scope="row">${title}</th>`), title)
  })

  it('stands in sections, each chart with a sentence and with what its axis counts', () => {
    assert.deepEqual(
      [...page.matchAll(/<h2>(.*?)<\/h2>/g)].map((match) => match[1]),
      ['Lookups at rest', 'State and joining', 'Upkeep and churn', 'Load balance', 'A fifth of the nodes die at one moment', 'All figures'],
    )
    const figuresDrawn = [...page.matchAll(/<figure>(.*?)<\/figure>/gs)].map((match) => match[1]!)
    assert.equal(figuresDrawn.length, 16)
    for (const drawn of figuresDrawn) {
      assert.match(drawn, /<figcaption><b>[^<]+<\/b> [^<]+\.<\/figcaption>/)
      assert.match(drawn, /<text [^>]*text-anchor="middle" fill="#5c5c5c">[a-z][^<]+<\/text>/)
    }
  })

  it('gives each overlay one colour in bars and lines', () => {
    for (const colour of ['#0072b2', '#d55e00']) assert(page.includes(`fill="${colour}"`) && page.includes(`stroke="${colour}"`), colour)
  })

  it('says the command that repeats it', () => {
    assert(
      page.includes(
        'npm run lab -- compare --overlays one,two &lt;b&gt; --nodes 20 --topology plane --session 10 --minutes 1 --seeds 1..2',
      ),
    )
  })

  it('leaves out overlays that failed, even all', () => {
    const failed = { ...overlay('gone'), failures: ['seed 1: no', 'seed 2: no'] }
    assert(!renderPage(comparison([overlay('one'), failed])).includes('>gone</text>'))
    assert(!renderPage(comparison([failed])).includes('<svg'))
  })

  it('draws a time that was waited for in vain as words', () => {
    const none = { mean: null, deviation: null, values: [null, null] }
    const lame = overlay('lame')
    const page2 = renderPage(comparison([{ ...lame, figures: { ...lame.figures, recoveryTables: none } }]))
    assert(page2.includes('&gt; 240 s'))
  })
})

describe('a figure in words', () => {
  it('has the unit of its size, and its deviation the same decimals', () => {
    assert.equal(formatEstimate({ mean: 72_454, deviation: 812 }, 'bytes'), '72.5 ± 0.8 kB')
    assert.equal(formatEstimate({ mean: 60.7, deviation: null }, 'bytes'), '60.7 B')
    assert.equal(formatEstimate({ mean: 0.99731, deviation: 0.0004 }, 'share'), '99.73 ± 0.04 %')
    assert.equal(formatEstimate({ mean: 0.96, deviation: null }, 'share'), '96.0 %')
    assert.equal(formatEstimate({ mean: 8938, deviation: null }, 'seconds'), '8.9 s')
    assert.equal(formatEstimate({ mean: 2.5, deviation: 0.7071 }, 'count'), '2.5 ± 0.7')
    assert.equal(formatEstimate({ mean: 439, deviation: null }, 'count'), '439')
  })
})

describe('an axis', () => {
  it('has numbers in the unit of its end, which is named there', () => {
    assert.deepEqual(
      [0, 500, 2500].map((value) => formatTick(value, 2500, 'bytes')),
      ['0', '0.5', '2.5 kB'],
    )
    assert.equal(formatTick(0.06, 0.06, 'share'), '6 %')
    assert.equal(formatTick(4, 4, 'ratio'), '4')
  })

  it('ends at a round number at or above the largest value, with two to six round numbers from 0', () => {
    assert.deepEqual(axisTo(9.7), { end: 10, ticks: [0, 2, 4, 6, 8, 10] })
    assert.deepEqual(axisTo(0.31), { end: 0.4, ticks: [0, 0.1, 0.2, 0.3, 0.4] })
    assert.deepEqual(axisTo(1), { end: 1, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1] })
    assert.deepEqual(axisTo(72_454), { end: 80_000, ticks: [0, 20_000, 40_000, 60_000, 80_000] })
  })

  it('ends at 1 when there is nothing to show', () => {
    assert.equal(axisTo(0).end, 1)
    assert.equal(axisTo(-Infinity).end, 1)
  })
})

function comparison(overlays: readonly ComparedOverlay[]): Comparison {
  return {
    format: 'plaxton lab compare 1',
    workload: { nodes: 20, topology: 'plane', sessionMinutes: 10, minutes: 1 },
    seeds: [1, 2],
    figures: Object.entries(figures).map(([name, { group, title, form }]) => ({ name: name as FigureName, group, title, form })),
    overlays,
  }
}

function overlay(name: string): ComparedOverlay {
  const estimates = Object.keys(figures).map((figure) => [figure, { mean: 0.5, deviation: 0.1, values: [0.4, 0.6] }])
  return {
    name,
    figures: Object.fromEntries(estimates) as ComparedOverlay['figures'],
    curves: {
      hops: [0.1, 0.6, 0.3],
      load: [10, 90, 200],
      recovery: [
        { atMs: 0, success: 0.8, medianMs: 300 },
        { atMs: 5000, success: null, medianMs: null },
        { atMs: 10_000, success: 1, medianMs: 200 },
      ],
    },
    traceHashes: [],
    failures: [],
  }
}
