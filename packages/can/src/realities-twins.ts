import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { outranks } from './claim.ts'
import type { Claim } from './claim.ts'
import { othersMax } from './messages.ts'
import { encodeRealitiesPayload } from './realities-codec.ts'
import { sendTo, stretchesMax } from './realities-messages.ts'
import type { TwinAsk, TwinTell } from './realities-messages.ts'
import { pinnedTo } from './realities-next-hop.ts'
import type { CanState } from './state.ts'
import { contains, firstKey, overlap, without } from './zone.ts'
import type { Zone } from './zone.ts'

/**
 * A node's twins: the owners in reality 0, where the roots are, of the keys whose points this node owns in another reality. A message that comes here through another reality goes to one of them next.
 *
 *     seek ─▶ the owner of a stretch without a known twin, by way of reality 0
 *     ask  ─▶ each twin, every `digestMs`, and those of whom a twin tells
 *     tell ◀─ the answer to both; again when what a twin owns has changed
 *
 * What is known of twins may be old. That costs hops and nothing else: whoever is taken for a root and is none passes the message on in reality 0.
 */
export class Twins {
  private readonly roots: CanState
  private readonly others: readonly CanState[]
  /** Bound: `contactsMax`. Full: another is left out, and keys of its are reached through reality 0. */
  private readonly known = new Map<Guid, Twin>()
  /** Whose twin this node is. Bound: `contactsMax`. Full: who asked first goes, and learns of changes when it asks again. */
  private readonly listeners = new Map<Guid, Listener>()
  /** What an answer must repeat. */
  private readonly token: number
  private told: readonly Claim[] = []
  /** When those that are missing may be looked for again, and the pause after that. */
  private seekAt: Millis = 0
  private pauseMs: Millis

  /** Of the node with these states, one for each reality. */
  constructor([roots, ...others]: readonly [CanState, ...CanState[]]) {
    this.roots = roots
    this.others = others
    this.token = 1 + roots.prng.nextInt(2 ** 31)
    this.pauseMs = roots.config.searchRetryMs
  }

  /** Who owns the key of these bits in reality 0, if that is one of the twins. */
  at(bits: string): NodeRef | undefined {
    let best: { readonly ref: NodeRef; readonly claim: Claim } | undefined
    for (const { ref, claims } of this.known.values()) {
      for (const claim of claims)
        if (contains(claim.zone, bits) && (best === undefined || outranks(claim, ref.id, best.claim, best.ref.id))) best = { ref, claim }
    }
    return best?.ref
  }

  find(id: Guid): NodeRef | undefined {
    return this.known.get(id)?.ref
  }

  get size(): { readonly known: number; readonly listeners: number } {
    return { known: this.known.size, listeners: this.listeners.size }
  }

  /** Those that have not answered. */
  silent(now: Millis): NodeRef[] {
    return [...this.known.values()].filter((twin) => now >= this.answerDue(twin)).map(({ ref }) => ref)
  }

  /** Does what is due: forgets who is no twin any more, asks the others, looks for those that are missing, and tells its own listeners. Returns when to look again. */
  look(now: Millis, fx: OverlayEffects): Millis {
    const { config } = this.roots
    const stretches = this.stretches()
    for (const [id, { claims }] of this.known) if (!touches(claims, stretches)) this.drop(id, fx)
    this.tellListeners(now, fx)
    for (const twin of this.known.values()) if (now - twin.askedAt >= config.digestMs) this.ask(twin, stretches, now, fx)
    const dueAt = Math.min(now + config.digestMs, ...[...this.known.values()].map((twin) => this.answerDue(twin)).filter((at) => at > now))
    return this.seekMissing(stretches, now, fx) ? Math.min(this.seekAt, dueAt) : dueAt
  }

  /** A question has come to the owner of its key. */
  serve(asker: NodeRef, token: number, fx: OverlayEffects): void {
    const { self, surroundings } = this.roots
    if (asker.id !== self.id) sendTo(asker, { type: 'twin-tell', claims: surroundings.claims, others: [], token }, fx)
  }

  onAsk(from: NodeRef, { zones, token }: TwinAsk, now: Millis, fx: OverlayEffects): void {
    this.listeners.delete(from.id)
    if (this.listeners.size >= this.roots.config.contactsMax) {
      for (const first of this.listeners.keys()) {
        this.listeners.delete(first)
        break
      }
    }
    this.listeners.set(from.id, { ref: from, zones, askedAt: now })
    this.tell(from, zones, token, fx)
  }

  /** True when it is news. */
  onTell(from: NodeRef, { claims, others, token }: TwinTell, now: Millis, fx: OverlayEffects): boolean {
    const before = this.known.get(from.id)
    const { contacts, config, failed, self } = this.roots
    if ((token !== this.token && before === undefined) || failed.refuses(from) || (before?.ref.epoch ?? 0) > from.epoch) return false
    const stretches = this.stretches()
    const isTwin = touches(claims, stretches)
    if (!isTwin) this.drop(from.id, fx)
    else if (before !== undefined || this.known.size < config.contactsMax) {
      this.known.set(from.id, { ref: from, claims, heardAt: now, askedAt: before?.askedAt ?? -Infinity })
    }
    for (const { node, claims: theirs } of others) {
      const isKnown = node.id === self.id || this.known.has(node.id) || contacts.has(node.id) || failed.distrusts(node, now)
      if (!isKnown && touches(theirs, stretches)) this.sendQuestion(node, stretches, fx)
    }
    const isNews = isTwin ? before === undefined || !sameZones(before.claims, claims) : before !== undefined
    if (isNews) fx.routesChanged()
    return isNews
  }

  /** It has started again, and owns nothing of what it did. True when it was a twin. */
  noteIncarnation({ id, epoch }: NodeRef, fx: OverlayEffects): boolean {
    const twin = this.known.get(id)
    return twin !== undefined && twin.ref.epoch < epoch && this.drop(id, fx)
  }

  /** It is gone. True when it was a twin. */
  onGone(id: Guid, fx: OverlayEffects): boolean {
    this.listeners.delete(id)
    return this.drop(id, fx)
  }

  /** This node goes. */
  leave(fx: OverlayEffects): void {
    for (const { ref } of this.listeners.values()) sendTo(ref, { type: 'twin-tell', claims: [], others: [], token: 0 }, fx)
    this.listeners.clear()
    this.known.clear()
  }

  /** What this node owns in the other realities. */
  private stretches(): Zone[] {
    return this.others.flatMap(({ territory }) => territory.holdings.map(({ zone }) => zone)).slice(0, stretchesMax)
  }

  /** Parts of the stretches of which no owner in reality 0 is known. */
  private missing(stretches: readonly Zone[]): Zone[] {
    const { territory, contacts } = this.roots
    const owned = [territory.holdings, ...[...contacts.values(), ...this.known.values()].map(({ claims }) => claims)].flat()
    return owned.reduce((left, { zone }) => left.flatMap((part) => without(part, zone)), [...stretches])
  }

  /** True while some are missing. The pauses between two attempts double. */
  private seekMissing(stretches: readonly Zone[], now: Millis, fx: OverlayEffects): boolean {
    const { config, standing } = this.roots
    const missing = standing === 'member' ? this.missing(stretches) : []
    if (missing.length === 0) this.pauseMs = config.searchRetryMs
    else if (now >= this.seekAt) {
      for (const gap of missing.slice(0, seeksMax)) this.seek(gap, fx)
      this.seekAt = now + this.pauseMs
      this.pauseMs = Math.min(config.digestMs, 2 * this.pauseMs)
    }
    return missing.length > 0
  }

  private seek(zone: Zone, fx: OverlayEffects): void {
    const { self } = this.roots
    const payload = encodeRealitiesPayload({ type: 'twin-seek', asker: self, token: this.token })
    fx.route(firstKey(zone, self.id.length), payload, pinnedTo(0))
  }

  /** By when a twin is to have answered; never, when it has. */
  private answerDue({ askedAt, heardAt }: Twin): Millis {
    return heardAt < askedAt ? askedAt + this.roots.config.probeTimeoutMs : Infinity
  }

  private ask(twin: Twin, stretches: readonly Zone[], now: Millis, fx: OverlayEffects): void {
    twin.askedAt = now
    this.sendQuestion(twin.ref, stretches, fx)
  }

  private sendQuestion(to: NodeRef, zones: readonly Zone[], fx: OverlayEffects): void {
    sendTo(to, { type: 'twin-ask', zones, token: this.token }, fx)
  }

  private tell(to: NodeRef, zones: readonly Zone[], token: number, fx: OverlayEffects): void {
    const { surroundings, contacts } = this.roots
    const claims = surroundings.claims.filter((claim) => touches([claim], zones))
    const others = [...contacts.values()].filter((contact) => touches(contact.claims, zones)).slice(0, othersMax)
    sendTo(to, { type: 'twin-tell', claims, others: others.map((contact) => ({ node: contact.ref, claims: contact.claims })), token }, fx)
  }

  /** What is this node's in reality 0 is other than before: whom that concerns hears it. */
  private tellListeners(now: Millis, fx: OverlayEffects): void {
    const { claims } = this.roots.surroundings
    for (const [id, { askedAt }] of this.listeners) if (now - askedAt > 3 * this.roots.config.digestMs) this.listeners.delete(id)
    if (sameZones(claims, this.told)) return
    for (const { ref, zones } of this.listeners.values())
      if (touches(claims, zones) || touches(this.told, zones)) this.tell(ref, zones, 0, fx)
    this.told = claims
  }

  private drop(id: Guid, fx: OverlayEffects): boolean {
    if (!this.known.delete(id)) return false
    fx.routesChanged()
    return true
  }
}

interface Twin {
  readonly ref: NodeRef
  /** In reality 0, by its own word. */
  readonly claims: readonly Claim[]
  readonly heardAt: Millis
  askedAt: Millis
}

interface Listener {
  readonly ref: NodeRef
  /** What it owns in the other realities. */
  readonly zones: readonly Zone[]
  readonly askedAt: Millis
}

function touches(claims: readonly Claim[], zones: readonly Zone[]): boolean {
  return claims.some((claim) => zones.some((zone) => overlap(claim.zone, zone)))
}

function sameZones(a: readonly Claim[], b: readonly Claim[]): boolean {
  return a.length === b.length && a.every(({ zone, version }, i) => zone === b[i]!.zone && version === b[i]!.version)
}

/** Our guess: a zone overlaps two or three of another reality. */
const seeksMax = 8
