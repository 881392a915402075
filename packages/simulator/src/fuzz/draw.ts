import { Prng } from '@plaxton/kbr'
import type { Millis } from '@plaxton/kbr'
import { drawDolrPlan } from '../mix-dolr.ts'
import type { DolrPlan } from '../mix-dolr.ts'
import { drawPlan } from '../mix-plan.ts'
import type { MixPlan } from '../mix-plan.ts'
import type { Scenario, ScenarioEvent } from './scenario.ts'
import type { Verb } from './verbs.ts'

/**
 * Draws a scenario of at most `most` hosts at the beginning. Which faults it has, and how hard, is drawn as for the mix (swarm testing); then each of its events, without
 * looking at any network: the list is all there is.
 */
export function drawScenario(seed: number, most: number): Scenario {
  const stream = (concern: string) => Prng.fromSeed(`${seed}/${concern}`)
  const plan = drawPlan(stream('plan'))
  const dolrPlan = drawDolrPlan(stream('dolr plan'))
  const sizes = stream('sizes')
  // As many networks of 2 to 4 hosts as of 8 to 16: what goes wrong with few is another kind of wrong.
  const hosts = Math.min(most, Math.floor(2 * (most / 2 + 0.5) ** sizes.nextFloat()))
  const chaosMs = 1000 * (shortestChaos + sizes.nextInt(longestChaos - shortestChaos + 1))
  const [past, dolr] = sizes.pick([
    [true, true],
    [true, false],
    [true, false],
    [false, true],
    [false, false],
  ])! as [boolean, boolean]
  const timeline = new Timeline(hosts, plan, stream('events'), sizes.chance(0.3) ? 0 : calmMs, chaosMs)
  timeline.disturbMessages()
  timeline.disturbNodes()
  timeline.walk()
  if (past) timeline.commandPast(stream('past'))
  if (dolr) timeline.commandDolr(stream('dolr'), dolrPlan)
  const { publishGapMs: _p, unpublishGapMs: _u, sendGapMs: _s, sharing: _h, ...settings } = dolrPlan
  return {
    seed,
    topology: plan.topologyName,
    noticeMs: plan.noticeMs,
    encode: plan.encode,
    replicas: past ? plan.replicas : undefined,
    dolr: dolr ? settings : undefined,
    events: timeline.events.toSorted((a, b) => a.at - b.at),
  }
}

/** Seconds in which faults come. Shorter than the mix's: a bug that needs less than all of it is found more often per minute of processor time. */
const shortestChaos = 10
const longestChaos = 120
/** Between the last join and the first fault; in three runs of ten there is none, and faults begin while nodes join. */
const calmMs = 15_000
/** A network of this share of its hosts at least is left running by crashes and leaves, unless everybody crashes at once. */
const leastRunning = 0.5

/** Quartz is within 0.0001; a hundred times that must not matter either. */
const clockRates = [0.99, 0.999, 1.001, 1.01] as const

/** What is to happen to nodes, before it is known whose turn it is. */
type Change = 'crash' | 'leave' | 'join' | 'mass crash'

/** Makes the list, remembering only who would be up if every event had its effect. */
class Timeline {
  readonly events: ScenarioEvent[] = []
  private readonly plan: MixPlan
  private readonly prng: Prng
  private readonly firstHosts: number
  private readonly from: Millis
  private readonly until: Millis
  private readonly changes: Array<{ readonly at: Millis; readonly change: Change | number }> = []
  private readonly up = new Set<number>()
  private hosts = 0

  constructor(hosts: number, plan: MixPlan, prng: Prng, calm: Millis, chaosMs: Millis) {
    this.plan = plan
    this.prng = prng
    this.firstHosts = hosts
    for (let i = 0; i < hosts; i++) this.start(i * plan.joinGapMs, this.hosts++)
    this.from = (calm === 0 ? 0 : (hosts - 1) * plan.joinGapMs) + calm
    this.until = this.from + chaosMs
  }

  disturbMessages(): void {
    const { plan, prng, from, until } = this
    const host = () => prng.nextInt(this.firstHosts)
    if (plan.loss > 0) this.add(from, 'loss', plan.loss)
    if (plan.jitterMs > 0) this.add(from, 'jitter', plan.jitterMs)
    for (let i = 0; i < plan.slowNodes; i++) this.add(from, 'slow', host(), 500 + prng.nextInt(4500))
    for (let i = 0; i < plan.brokenLinks; i++) this.add(from, 'block', host(), host())
    const badClocks = prng.chance(0.2) ? 1 + prng.nextInt(3) : 0
    for (let i = 0; i < badClocks; i++) this.add(0, 'clock', host(), prng.pick(clockRates)!)
    for (let i = 0; i < plan.partitions && this.firstHosts > 1; i++) {
      const hosts = prng.shuffle(Array.from({ length: this.firstHosts }, (_, index) => index))
      const apart = hosts.slice(0, 1 + prng.nextInt(hosts.length / 2))
      const at = this.moment()
      this.add(at, plan.oneWay ? 'cut-one-way' : 'cut', ...apart)
      this.add(Math.min(until, at + plan.partitionMs), 'heal')
    }
  }

  disturbNodes(): void {
    const { plan } = this
    this.atRandomTimes(plan.crashGapMs, (at) => this.changes.push({ at, change: 'crash' }))
    this.atRandomTimes(plan.leaveGapMs, (at) => this.changes.push({ at, change: 'leave' }))
    this.atRandomTimes(plan.joinGapInChaosMs, (at) => this.changes.push({ at, change: 'join' }))
    if (plan.massCrash > 0) this.changes.push({ at: this.moment(), change: 'mass crash' })
  }

  /** Decides, in the order of time, whom each change is for. */
  walk(): void {
    const { changes, prng, plan, up } = this
    const byTime = (): void => void changes.sort((a, b) => b.at - a.at)
    byTime()
    for (let next = changes.pop(); next !== undefined; next = changes.pop()) {
      const { at, change } = next
      const known = prng.pick([...up])
      if (typeof change === 'number') this.start(at, change)
      else if (change === 'join') {
        // Sometimes several at one moment.
        for (let i = prng.chance(0.2) ? 1 + prng.nextInt(4) : 1; i > 0 && this.hosts < mostHosts(this.firstHosts); i--)
          this.start(at, this.hosts++)
      } else if (change === 'mass crash') {
        const everybody = prng.chance(0.3)
        const victims = prng.shuffle([...up]).slice(0, everybody ? up.size : Math.floor(plan.massCrash * up.size))
        for (const host of victims) this.crash(at, host)
      } else if (known !== undefined && up.size > Math.max(1, leastRunning * this.firstHosts)) {
        if (change === 'crash') this.crash(at, known)
        else {
          this.add(at, 'leave', known)
          up.delete(known)
        }
      }
      byTime()
    }
  }

  commandPast(prng: Prng): void {
    const { plan } = this
    let objects = 0
    const host = () => prng.nextInt(this.hosts)
    this.atRandomTimes(
      plan.putGapMs,
      (at) => this.add(at, prng.chance(0.5) ? 'put-named' : 'put', host(), objects++, 1 + prng.nextInt(plan.largest)),
      prng,
    )
    const any = () => prng.nextInt(Math.max(1, objects))
    this.atRandomTimes(plan.getGapMs, (at) => this.add(at, 'get', host(), any()), prng)
    this.atRandomTimes(plan.removeGapMs, (at) => this.add(at, 'remove', any()), prng)
  }

  commandDolr(prng: Prng, plan: DolrPlan): void {
    let objects = 0
    const host = () => prng.nextInt(this.hosts)
    const any = () => prng.nextInt(Math.max(1, objects))
    const published: Array<readonly [number, number]> = []
    this.atRandomTimes(
      plan.publishGapMs,
      (at) => {
        const hosting = [host(), prng.chance(plan.sharing) ? any() : objects++] as const
        published.push(hosting)
        this.add(at, 'publish', ...hosting)
      },
      prng,
    )
    this.atRandomTimes(plan.unpublishGapMs, (at) => this.add(at, 'unpublish', ...(prng.pick(published) ?? [0, 0])), prng)
    this.atRandomTimes(plan.sendGapMs, (at) => this.add(at, prng.chance(0.3) ? 'locate' : 'send', host(), any(), 1 + prng.nextInt(3)), prng)
  }

  private add(at: Millis, verb: Verb, ...args: readonly number[]): void {
    this.events.push({ at: Math.round(at), verb, args })
  }

  private start(at: Millis, host: number): void {
    this.add(at, 'start', host)
    this.up.add(host)
  }

  /** It comes back after a while, when all is over, or never. */
  private crash(at: Millis, host: number): void {
    const { plan, prng, until } = this
    this.add(at, prng.chance(plan.wipeShare) ? 'wipe' : 'crash', host)
    this.up.delete(host)
    const back = plan.restartMs === undefined ? until : at + Math.max(1, Math.round(prng.nextExponential(plan.restartMs)))
    if (plan.restartMs !== undefined || prng.chance(0.5)) this.changes.push({ at: Math.min(until, back), change: host })
  }

  private moment(): Millis {
    return this.from + this.prng.nextInt(this.until - this.from)
  }

  private atRandomTimes(meanGapMs: Millis | undefined, action: (at: Millis) => void, prng: Prng = this.prng): void {
    if (meanGapMs === undefined) return
    for (let at = this.from + prng.nextExponential(meanGapMs); at < this.until; at += prng.nextExponential(meanGapMs)) action(at)
  }
}

/** Hosts that a network of so many may have had in the end. */
function mostHosts(first: number): number {
  return 2 * first + 2
}
