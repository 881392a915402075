import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { Gap } from './atlas.ts'
import { claimsMax, outranks } from './claim.ts'
import type { Claim, Entry } from './claim.ts'
import { Contests } from './contests.ts'
import type { Ghost } from './ghosts.ts'
import { othersMax, send } from './messages.ts'
import type { Search, SearchReply } from './messages.ts'
import type { Reports } from './reports.ts'
import type { CanState, Contact } from './state.ts'
import { firstKey, overlap, volumeOfAll } from './zone.ts'
import type { Zone } from './zone.ts'

/**
 * Closes the gaps in the tiling that border on this node's zones (SIGCOMM 2001, §2.3). Each neighbour of a dead node starts a timer, the longer the more neighbours of that node own less than itself;
 * the first whose timer ends takes the zone over and says so, and the others, who hear it, let it be.
 *
 * A gap of which nothing is known, or whose owner's other neighbours are mostly gone too, may have an owner that is only out of sight. It is looked for in an expanding ring before anybody
 * takes over.
 */
export class Takeover {
  private readonly state: CanState
  private readonly reports: Reports
  /** Gaps on this node's border. Bound: those of the atlas, {@link gapsMax}. Full: another waits until one is closed. */
  private readonly open = new Map<Zone, OpenGap>()
  /** Searches of others that passed here. Bound: {@link searchesMax}. Full: the first goes. */
  private readonly passed: string[] = []
  private readonly contests = new Contests()

  constructor(state: CanState, reports: Reports) {
    this.state = state
    this.reports = reports
  }

  /** Looks at the atlas; takes over what is due. True when own zones have changed. */
  review(now: Millis, fx: OverlayEffects): boolean {
    const { state } = this
    if (state.standing !== 'member') {
      this.open.clear()
      return false
    }
    const gaps = state.atlas.gaps().filter(({ zone }) => state.territory.holdings.some((own) => state.space.abut(own.zone, zone)))
    for (const zone of this.open.keys()) if (!gaps.some((gap) => gap.zone === zone)) this.open.delete(zone)
    let taken = false
    for (const gap of gaps) {
      const watched = this.open.get(gap.zone) ?? this.watch(gap, now)
      if (watched === undefined) break
      if (watched.dueAt <= now) taken = this.take(gap, now, fx) || taken
      else if (watched.searchAt <= now) this.search(gap.zone, watched, now, fx)
    }
    return taken
  }

  /** When {@link review} is to look again; undefined when there is nothing to see. */
  nextAt(): Millis | undefined {
    let next: Millis | undefined
    for (const { dueAt, searchAt } of this.open.values()) next = Math.min(next ?? Infinity, dueAt, searchAt)
    return next
  }

  onSearch(from: NodeRef, { zone, asker, nonce, ttl }: Search, fx: OverlayEffects): void {
    const { state } = this
    const name = `${asker.id}/${nonce}`
    if (asker.id === state.self.id || this.passed.includes(name)) return
    this.passed.push(name)
    if (this.passed.length > searchesMax) this.passed.shift()
    const entries: Entry[] = []
    const owns = state.surroundings.claims.filter((claim) => overlap(claim.zone, zone))
    if (owns.length > 0 && state.counts) entries.push({ node: state.self, claims: owns })
    for (const { ref, claims } of state.contacts.values())
      if (claims.some((claim) => overlap(claim.zone, zone))) entries.push({ node: ref, claims })
    if (entries.length > 0) return send(asker, { type: 'search-reply', entries: entries.slice(0, othersMax) }, fx)
    if (ttl < 2) return
    const onward: Search = { type: 'search', zone, asker, nonce, ttl: Math.min(ttl, ringMax) - 1 }
    for (const { ref } of state.contacts.values()) if (ref.id !== from.id && ref.id !== asker.id) send(ref, onward, fx)
  }

  onFound({ entries }: SearchReply, now: Millis, fx: OverlayEffects): void {
    const isWanted = ({ node, claims }: Entry): boolean =>
      !this.state.failed.distrusts(node, now) && [...this.open.keys()].some((gap) => claims.some(({ zone }) => overlap(zone, gap)))
    for (const { node } of entries.filter(isWanted).slice(0, foundMax)) this.reports.greet(node, now, fx)
  }

  /** `from` claims what this node has taken over and does not answer for yet, and would be in the right: it gets the time to prove that it is there. */
  onDispute(from: NodeRef, claims: readonly Claim[], now: Millis, fx: OverlayEffects): void {
    const { territory, self, config } = this.state
    for (const own of territory.holdings) {
      if (own.settlesAt === undefined || !claims.some((claim) => overlap(claim.zone, own.zone) && outranks(claim, from.id, own, self.id)))
        continue
      this.contests.join(own.zone, from.id)
      // Once only, so that nobody can put it off for ever.
      const settlesAt = Math.min(now, own.since + config.contestMs) + config.contestMs
      if (territory.putOff(own.zone, settlesAt)) fx.startTimer('contest', 0, settlesAt - now)
    }
  }

  /** A contact has confirmed a report. True when this node may answer for what it took over. */
  onConfirmed(contact: Contact): boolean {
    this.contests.confirmed(contact)
    return this.conclude()
  }

  /** It is gone. True when this node may answer for what it took over. */
  onGone(id: Guid): boolean {
    this.contests.forget(id)
    return this.conclude()
  }

  clear(): void {
    this.open.clear()
    this.contests.clear()
  }

  private conclude(): boolean {
    const decided = this.contests.takeDecided()
    for (const zone of decided) this.state.territory.conclude(zone)
    return decided.length > 0
  }

  private watch({ zone, mark }: Gap, now: Millis): OpenGap | undefined {
    if (this.open.size >= gapsMax) return undefined
    const { config, prng, ghosts } = this.state
    const ghost = mark === undefined ? undefined : ghosts.of(mark.node.id, mark.claim.zone)
    const isClear = ghost !== undefined && this.reachable(ghost.others) >= 0.5
    const turn = Math.min(turnsMax, this.rivals(zone, ghost).filter(({ goesFirst }) => goesFirst).length)
    const waitMs = (isClear ? 0 : config.searchMs) + config.takeoverMs * turn
    const heirMs = ghost?.left === true ? config.contestMs : 0
    // What was a part of a larger gap has been one for as long.
    const before = [...this.open].find(([other]) => zone.startsWith(other))?.[1]
    const since = before?.since ?? now
    const dueAt = Math.max(now, since + heirMs + Math.ceil(prng.jitter(waitMs, 0.1)))
    const gap = { since, dueAt, searchAt: isClear ? Infinity : now, tries: 0 }
    this.open.set(zone, gap)
    return gap
  }

  /** Of the contacts of a gone node, the share that is there. */
  private reachable(others: readonly Entry[]): number {
    const { contacts, self, failed } = this.state
    const count = others.filter(({ node }) => node.id === self.id || contacts.has(node.id) || !failed.has(node.id)).length
    return others.length === 0 ? 1 : count / others.length
  }

  private take({ zone, mark }: Gap, now: Millis, fx: OverlayEffects): boolean {
    const { state } = this
    if (state.territory.holdings.length >= claimsMax / 2) return false
    const ghost = mark === undefined ? undefined : state.ghosts.of(mark.node.id, mark.claim.zone)
    const rivals = this.rivals(zone, ghost).map(({ id }) => id)
    const claim: Claim = { zone, version: mark?.claim.version ?? 0, caretaker: true }
    this.open.delete(zone)
    const careFor = mark?.node.id
    // Of a gap of which nothing is known there may be rivals of which nothing is known.
    if (rivals.length === 0 && ghost !== undefined) state.territory.add(claim, { now, careFor })
    else {
      state.territory.add(claim, { now, careFor, settlesAt: now + state.config.contestMs })
      fx.startTimer('contest', 0, state.config.contestMs)
      this.contests.begin(zone, rivals, now)
    }
    state.territoryChanged(fx)
    // The dead node's neighbours are to hear of it, although some are not this one's.
    for (const { node } of ghost?.others ?? [])
      if (node.id !== state.self.id && !state.contacts.has(node.id) && !state.failed.has(node.id)) this.reports.challenge(node, now, fx)
    return true
  }

  /** Those that may take the zone over as well as this node, each with its turn: who has less goes first. */
  private rivals(zone: Zone, ghost: Ghost | undefined): Array<{ readonly id: Guid; readonly goesFirst: boolean }> {
    const { contacts, failed, space, territory, self } = this.state
    const around = new Map<Guid, readonly Claim[]>()
    for (const { node, claims } of ghost?.others ?? []) if (node.id !== self.id && !failed.has(node.id)) around.set(node.id, claims)
    for (const { ref, claims } of contacts.values()) around.set(ref.id, claims)
    return [...around]
      .filter(([, claims]) => claims.some((claim) => space.abut(claim.zone, zone)))
      .map(([id, claims]) => {
        const more = volumeOfAll(claims) - territory.volume
        return { id, goesFirst: more < 0 || (more === 0 && id < self.id) }
      })
  }

  private search(zone: Zone, gap: OpenGap, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    gap.tries++
    gap.searchAt = now + state.config.searchRetryMs * 2 ** Math.min(gap.tries - 1, 4)
    const search: Search = { type: 'search', zone, asker: state.self, nonce: state.nextSeq(), ttl: Math.min(gap.tries, ringMax) }
    for (const { ref } of state.contacts.values()) send(ref, search, fx)
    const contact = state.prng.pick(state.history.all())
    const key = firstKey(zone, state.self.id.length)
    if (contact !== undefined) send(contact, { type: 'join-request', purpose: 'seek', attempt: 0, key }, fx)
  }
}

interface OpenGap {
  readonly since: Millis
  readonly dueAt: Millis
  searchAt: Millis
  tries: number
}

/** Contacts, and what their contacts know, of the third ring: beyond it a search would ask half of a small network. */
const ringMax = 3
const gapsMax = 256
/** Our guess: of the first so many to take a zone over, one lives. */
const turnsMax = 8
const searchesMax = 64
const foundMax = 8
