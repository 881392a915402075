import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { experiments } from '@plaxton/simulator'
import { lab } from './command-line.ts'
import { allExperiments } from '../src/run/experiments.ts'
import type { Outcome } from '../src/run/outcome.ts'
import { renderResults } from '../src/results/results-page.ts'
import type { KeptOutcome } from '../src/results/kept.ts'

// One of each overlay, as small as its shape allows.
const small: Readonly<Record<string, string>> = {
  'pastry joins': '--nodes 125 --repeats 4',
  'tapestry nodes': '--nodes 60 --lookups 1000',
  'kademlia siblings': '--nodes 2000 --lookups 2000',
  'chord path': '--nodes 64 --lookups 4000',
  'can volumes': '--nodes 4096',
}

describe('plaxton lab run', function () {
  this.timeout(60_000)
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'plaxton-results-'))
  })

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  it('is tried here with an experiment of each overlay that has any', () => {
    const families = Object.keys(small).map((name) => name.split(' ')[0]!)
    assert.deepEqual(families.sort(), Object.keys(experiments).sort())
  })

  for (const [name, sizes] of Object.entries(small)) {
    it(`${name}: prints the table and every claim, and that it held`, async () => {
      const { status, out } = await lab('run', ...name.split(' '), ...sizes.split(' '))
      assert.equal(status, 0, out)
      const { paper, found } = allExperiments().find((each) => each.name === name)!.experiment
      assert.ok(out.includes(`${paper}: ${found}`))
      assert.match(out, /^ {2}holds: /m)
      assert.match(out, /\nheld\n$/)
    })
  }

  it('ends with status 1 when a claim does not hold: two lookups for each size are too few', async () => {
    const { status, out } = await lab('run', 'chord', 'path', '--nodes', '256', '--lookups', '2')
    assert.equal(status, 1)
    assert.match(out, /FAILS: /)
    assert.match(out, /\nnot held\n$/)
  })

  it('--json has the experiment, the command that repeats it and a table for each seed; the same bytes for the same seeds', async () => {
    const args = ['run', 'chord', 'failures', '--seeds', '3..4', '--lookups', '200', '--repeats', '1', '--json']
    const { out } = await lab(...args)
    assert.equal((await lab(...args)).out, out)
    const outcome = JSON.parse(out) as Outcome
    assert.deepEqual(
      [outcome.experiment, outcome.command],
      ['chord failures', 'npm run lab -- run chord failures --lookups 200 --repeats 1 --seeds 3..4'],
    )
    assert.deepEqual(
      outcome.runs.map(({ seed }) => seed),
      [3, 4],
    )
    for (const { columns, rows } of outcome.runs) for (const row of rows) assert.equal(row.length, columns.length)
    assert.notDeepEqual(outcome.runs[0]!.rows, outcome.runs[1]!.rows)
  })

  it('--svg draws each plot into a file', async () => {
    await lab('run', 'chord', 'failures', '--lookups', '50', '--svg', join(folder, 'dead.svg'))
    assert.deepEqual(readdirSync(folder).sort(), ['dead-2.svg', 'dead.svg'])
    const svg = readFileSync(join(folder, 'dead.svg'), 'utf8')
    assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/)
    assertWellFormed(svg)
  })

  it('--save keeps the outcome with date, commit and version, and writes the page; a second time in the same place', async () => {
    const args = ['run', 'chord', 'path', '--nodes', '32', '--lookups', '100', '--json']
    const { out } = await lab(...args)
    await lab(...args, '--save', '--out', folder)
    await lab(...args, '--save', '--out', folder)
    assert.deepEqual(readdirSync(folder).sort(), ['chord-path.json', 'index.html'])
    const { date, commit, node, ...rest } = JSON.parse(readFileSync(join(folder, 'chord-path.json'), 'utf8')) as KeptOutcome
    assert.deepEqual(rest, JSON.parse(out))
    assert.match(date, /^\d{4}-\d\d-\d\d$/)
    if (commit !== undefined) assert.match(commit, /^[0-9a-f]{7,}( with changes)?$/)
    assert.equal(node, process.versions.node)
    assert.equal(
      readFileSync(join(folder, 'index.html'), 'utf8'),
      renderResults([{ ...rest, date, node, ...(commit === undefined ? {} : { commit }) }]),
    )
  })

  it('page writes the page from what is there, and nothing else', async () => {
    await lab('run', 'chord', 'path', '--nodes', '32', '--lookups', '100', '--save', '--out', folder)
    const page = readFileSync(join(folder, 'index.html'), 'utf8')
    rmSync(join(folder, 'index.html'))
    assert.equal((await lab('page', '--out', folder)).status, 0)
    assert.equal(readFileSync(join(folder, 'index.html'), 'utf8'), page)
  })

  it('page says which file is no result', async () => {
    writeFileSync(join(folder, 'other.json'), '{}')
    const { status, err } = await lab('page', '--out', folder)
    assert.equal(status, 2)
    assert.match(err, /other\.json is not a result of plaxton lab run/)
    assert.ok(!existsSync(join(folder, 'index.html')))
  })

  for (const [args, words] of [
    ['run', /no experiments of "", there are those of .*chord/],
    ['run torus path', /no experiments of "torus", there are those of .*chord/],
    ['run chord wisdom', /no experiment "chord wisdom", those of chord are keys, virtual, path/],
    ['run chord path ways', /no experiment "chord path ways"/],
    ['run chord path --nodes 3', /--nodes is 3, allowed is a whole number from 10 on/],
    ['run chord path --lookups many', /--lookups is many, allowed/],
    ['run chord path --seeds 5..1', /--seeds is 1, allowed/],
    ['run chord path --overlay pastry', /--overlay is "pastry", allowed is chord$/m],
    ['run tapestry nodes --overlay torus', /--overlay is "torus", allowed is pastry, tapestry/],
    ['run tapestry nodes --overlay pastry --save', /--save keeps what the paper’s own overlay gave, and --overlay is pastry/],
    ['run chord keys --svg keys.svg', /--svg: nothing of chord keys is drawn/],
    ['run chord path --colour red', /--colour/],
  ] as const) {
    it(`"${args}" is called wrongly: status 2 and what is allowed`, async () => {
      const { status, out, err } = await lab(...args.split(' '))
      assert.equal(status, 2)
      assert.equal(out, '')
      assert.match(err, words)
    })
  }
})

describe('the page of results', () => {
  const all = allExperiments()
  const page = renderResults([outcome('chord failures'), outcome('can knobs', false)])

  it('is well-formed and needs nothing else: no script, no other file, no address but the name of SVG', () => {
    assertWellFormed(page)
    assert.doesNotMatch(page, /<script|<link|@import|url\(|src=/)
    assert.deepEqual([...new Set(page.match(/https?:[^"' ]+/g))], ['http://www.w3.org/2000/svg'])
  })

  it('has every experiment once, with its paper and what that found, and says which were not run', () => {
    for (const { name, experiment } of all) {
      const sections = page.split(`<section id="${name.replaceAll(' ', '-')}">`)
      assert.equal(sections.length, 2, name)
      const text = sections[1]!.split('</section>')[0]!
      for (const words of [experiment.paper, experiment.found]) assert.ok(text.includes(escaped(words)), `${name}: ${words}`)
      const isKept = name === 'chord failures' || name === 'can knobs'
      assert.equal(text.includes('not yet run here'), !isKept, name)
      if (!isKept) assert.ok(text.includes(`<code>npm run lab -- run ${name} --save</code>`), name)
    }
  })

  it('shows of a result its plots, its table, each claim with its verdict, and where it is from', () => {
    const text = page.split('<section id="chord-failures">')[1]!.split('</section>')[0]!
    assert.equal(text.match(/<svg/g)?.length, 2)
    assert.match(text, /<td class="words">10 %<\/td><td>4\.50<\/td><td>4\.1 \(T\)<\/td><td><\/td>/)
    assert.match(text, /<span class="held">held<\/span>: all &lt;b&gt; arrive <span class="note">\(2 lost\)/)
    assert.match(text, /Run on 2026-01-02 with seed 1; commit abc1234, Node 24\.0\.0\./)
    assert.ok(text.includes('<code>npm run lab -- run chord failures --seed 1</code>'))
    assert.match(page.split('<section id="can-knobs">')[1]!, /^<h3>can knobs: [^<]+<span class="failed">not held<\/span><\/h3>/)
  })

  it('draws no number that is none', () => {
    assert.doesNotMatch(page, /NaN|Infinity|undefined|null/)
  })

  it('says of several seeds in how many a claim did not hold', () => {
    const [once] = outcome('chord failures').runs
    const other = { ...once!, seed: 2, claims: [{ ...once!.claims[0]!, holds: false, measured: '3 lost' }] }
    const two = renderResults([{ ...outcome('chord failures', false), runs: [once!, other] }])
    assert.match(
      two,
      /<span class="failed">not held in 1 of 2<\/span>: all &lt;b&gt; arrive <span class="note">\(seed 1: 2 lost; seed 2: 3 lost\)/,
    )
  })
})

describe('the results that are kept in the repository', () => {
  const folder = new URL('../../../docs/results/', import.meta.url)
  const kept = readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as KeptOutcome)

  it('are of experiments that there are, all of them on the page beside them', () => {
    const page = readFileSync(new URL('index.html', folder), 'utf8')
    const names = allExperiments().map(({ name }) => name)
    for (const { experiment, command, date } of kept) {
      assert.ok(names.includes(experiment), experiment)
      const text = page.split(`<section id="${experiment.replaceAll(' ', '-')}">`)[1]?.split('</section>')[0] ?? ''
      assert.ok(text.includes(`<code>${command}</code>`) && text.includes(`Run on ${date}`), experiment)
    }
    assertWellFormed(page)
  })

  it('have the columns that are drawn', () => {
    for (const { experiment, runs } of kept)
      for (const { series } of allExperiments().find(({ name }) => name === experiment)!.experiment.plots ?? [])
        for (const [legend, column] of Object.entries(series))
          for (const { columns } of runs)
            for (const word of ['published', 'ideal'])
              assert.equal(columns[column]?.includes(word), legend.includes(word), `${experiment}: ${legend} is ${columns[column]}`)
  })
})

function outcome(experiment: string, held = true): KeptOutcome {
  return {
    format: 'plaxton lab run 1',
    experiment,
    command: `npm run lab -- run ${experiment} --seed 1`,
    date: '2026-01-02',
    commit: 'abc1234',
    node: '24.0.0',
    held,
    runs: [
      {
        seed: 1,
        title: 'a title',
        columns: ['dead', 'path', 'published', 'timeouts', 'published'],
        rows: [
          ['10 %', 4.5, '4.1 (T)', null, 'a few'],
          ['20 %', 4.7, '4.2 (T)', 1.5, null],
          ['30 %', 4.9, '4.4 (T)', 2.5, 2],
        ],
        claims: [{ says: 'all <b> arrive', holds: held, measured: '2 lost' }],
        remarks: ['a remark'],
        traceHash: 'abc',
      },
    ],
  }
}

/** Every element that begins ends, in order; but for those of HTML that have no end. */
function assertWellFormed(markup: string): void {
  const open: string[] = []
  for (const [tag, slash, name, rest] of markup
    .replace(/<style>[^<]*<\/style>/g, '')
    .matchAll(/<(\/?)([a-z][a-z0-9]*)((?:\s+[a-z][a-z0-9-]*="[^"<]*")*)\s*>|<(?!!doctype html>)[^>]*>?/gi)) {
    assert.ok(name !== undefined && rest !== undefined, `${tag} is no element`)
    if (slash === '/') assert.equal(open.pop(), name, tag)
    else if (!['meta', 'br'].includes(name)) open.push(name)
  }
  assert.deepEqual(open, [])
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
