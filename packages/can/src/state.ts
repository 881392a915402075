import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import type { Millis, NodeRef, OverlayEffects, Prng } from '@plaxton/kbr'
import { FailedSet, History } from '@plaxton/upkeep'
import type { Proximity } from '@plaxton/upkeep'
import { Atlas } from './atlas.ts'
import type { Mark } from './atlas.ts'
import { claimsMax, outranks } from './claim.ts'
import type { Claim, Entry } from './claim.ts'
import type { CanConfig } from './config.ts'
import { nearestFirst } from './differences.ts'
import { digestOf } from './digest.ts'
import { Ghosts } from './ghosts.ts'
import { othersMax } from './messages.ts'
import type { Surroundings } from './messages.ts'
import type { Common } from './realities-common.ts'
import { Space } from './space.ts'
import { Territory } from './territory.ts'
import { contains, everything, overlap, parentOf, pointIn, siblingOf } from './zone.ts'
import type { Zone } from './zone.ts'

/**
 * Where a node stands. `outside`: without a zone. `claiming`: it was granted one and waits until the giver has let go. `member`: it answers for what it owns. `gone`:
 * it has left.
 */
export type Standing = 'outside' | 'claiming' | 'member' | 'gone'

/** A node that this one has exchanged reports with, with what it said last. */
export interface Contact extends Surroundings {
  readonly ref: NodeRef
  /** Of what it was last told, and when; and of what it has confirmed. */
  told: number
  toldAt: Millis
  confirmed: number
  beatAt: Millis
  heardAt: Millis
}

/**
 * What one node knows, and the only ways in and out of its tables. Its contacts are the nodes whose zones abut its own (the paper's neighbours); those of its group, which
 * is the smallest stretch of halvings around its zone with `groupMin` owners; and those to whose groups it belongs.
 */
export class CanState {
  readonly self: NodeRef
  readonly config: CanConfig
  readonly prng: Prng
  readonly space: Space
  readonly territory = new Territory()
  /** Bound: `contactsMax`. Full: another is left out. */
  readonly contacts = new Map<Guid, Contact>()
  readonly ghosts: Ghosts
  readonly proximity: Proximity
  readonly failed: FailedSet
  readonly history: History
  private readonly common: Common
  private readonly reality: number
  standing: Standing = 'outside'
  private drawn: Atlas | undefined = undefined
  private said: Surroundings | undefined = undefined
  private named: ReadonlyMap<Guid, Entry> | undefined = undefined
  private wanted: readonly Entry[] | undefined = undefined
  private sorted: readonly Contact[] | undefined = undefined

  constructor(self: NodeRef, config: CanConfig, prng: Prng, common: Common, reality = 0) {
    this.self = self
    this.config = config
    this.prng = prng
    this.space = new Space(config.dimensions, 4 * self.id.length)
    this.ghosts = new Ghosts(config.ghostsMax)
    this.proximity = common.proximity
    this.failed = new FailedSet(config)
    this.history = new History(config.historyMax)
    this.common = common
    this.reality = reality
    common.add(this)
  }

  /** A number no other ping, token or search of this node has. */
  nextSeq(): number {
    return this.common.nextSeq()
  }

  /** Whether others are to treat this node as an owner of zones. */
  get counts(): boolean {
    return this.standing === 'member' || this.standing === 'claiming'
  }

  find(id: Guid): NodeRef | undefined {
    return this.contacts.get(id)?.ref
  }

  /** The point of a node, in whose zone it joins (SIGCOMM 2001, §2.1). */
  pointOf(id: Guid): Guid {
    return pointIn(this.reality, id)
  }

  // What follows from what is known

  get atlas(): Atlas {
    return (this.drawn ??= this.draw())
  }

  get surroundings(): Surroundings {
    return (this.said ??= this.describe())
  }

  /** Whether the owner of these zones belongs among the contacts for their sake. */
  wants(claims: readonly Claim[]): boolean {
    const { groups, shared } = this.surroundings
    const isNear = (zone: Zone): boolean =>
      groups.some((group) => zone.startsWith(group)) ||
      this.territory.holdings.some((own) => overlap(own.zone, zone) || this.space.abut(own.zone, zone)) ||
      shared.some((stretch) => this.space.abut(stretch, zone))
    return claims.some(({ zone }) => isNear(zone))
  }

  /** Whether this node belongs to the group of a contact, or borders on a zone that it shares. */
  isWantedBy({ groups, shared }: Surroundings): boolean {
    const { holdings } = this.territory
    return (
      groups.some((group) => holdings.some(({ zone }) => zone.startsWith(group))) ||
      shared.some((stretch) => holdings.some(({ zone }) => this.space.abut(stretch, zone)))
    )
  }

  /** How far this node's own zones reach as others see them: with those of the peers it shares them with. */
  get reach(): readonly Zone[] {
    const { shared, claims } = this.surroundings
    return shared.length > 0 ? shared : claims.map(({ zone }) => zone)
  }

  abuts(claims: readonly Claim[]): boolean {
    return claims.some(({ zone }) => this.territory.holdings.some((own) => this.space.abut(own.zone, zone)))
  }

  /** Owners of zones that contacts speak of and that belong among the contacts. */
  strangers(now: Millis): Entry[] {
    this.wanted ??= [...this.hearsay.values()].filter(({ claims }) => this.wants(claims))
    return this.wanted.filter(({ node }) => !this.failed.distrusts(node, now))
  }

  /** The contacts, those that share most halvings with this node first. */
  get nearest(): readonly Contact[] {
    return (this.sorted ??= this.sort())
  }

  /** Whether this node is one of those that a contact tells often that it lives: of its contacts that are there, those that share most halvings with it. */
  watches({ others }: Contact): boolean {
    let before = 0
    for (const { node } of others) {
      if (node.id === this.self.id) return true
      if (!this.failed.has(node.id) && ++before === this.config.watchers) return false
    }
    return false
  }

  private sort(): Contact[] {
    const entries = [...this.contacts.values()].map(({ ref, claims }): Entry => ({ node: ref, claims }))
    return nearestFirst(this.territory.holdings[0]?.zone, 4 * this.self.id.length, entries).map(({ node }) => this.contacts.get(node.id)!)
  }

  /** What others say, or said before they went, that a node owns which is no contact. */
  hearsayOf(id: Guid): readonly Claim[] {
    for (const { others } of this.contacts.values()) for (const { node, claims } of others) if (node.id === id) return claims
    return this.ghosts.hearsayOf(id)
  }

  // What is known

  /** Own zones have changed. */
  territoryChanged(fx: OverlayEffects): void {
    this.redraw()
    fx.routesChanged()
    fx.ranksChanged?.()
  }

  /** What a node said that has proven to be there. False when there is no room for it. */
  put(ref: NodeRef, said: Surroundings, now: Millis, fx: OverlayEffects): boolean {
    const before = this.contacts.get(ref.id)
    if (before === undefined && this.contacts.size >= this.config.contactsMax) return false
    const { claims, groups, shared, others, digest } = said
    const contact: Contact = {
      ref,
      claims,
      groups,
      // Nobody shares what it has no part in.
      shared: shared.filter((stretch) => claims.some(({ zone }) => zone.startsWith(stretch))),
      others,
      digest,
      told: before?.told ?? 0,
      toldAt: before?.toldAt ?? -Infinity,
      confirmed: before?.confirmed ?? 0,
      beatAt: before?.beatAt ?? now,
      heardAt: now,
    }
    this.contacts.set(ref.id, contact)
    this.sorted = undefined
    if (before?.digest === contact.digest) return true
    this.redraw()
    if (before === undefined) fx.neighborChanged(ref, true)
    fx.routesChanged()
    fx.ranksChanged?.()
    return true
  }

  /** A contact says that it does not count on this node any more, which its last report names. True when it does. */
  unname(from: NodeRef, node: Guid, epoch: number): boolean {
    const contact = this.contacts.get(from.id)
    const others = contact?.others.filter((other) => other.node.id !== node || other.node.epoch > epoch)
    if (contact === undefined || others!.length === contact.others.length) return false
    this.contacts.set(from.id, { ...contact, others: others! })
    this.redraw()
    return true
  }

  /** Takes a node out of the contacts; what it owned is not forgotten by this. */
  drop(id: Guid, fx: OverlayEffects): Contact | undefined {
    const contact = this.contacts.get(id)
    if (contact === undefined) return undefined
    this.contacts.delete(id)
    this.redraw()
    fx.neighborChanged(contact.ref, false)
    fx.routesChanged()
    fx.ranksChanged?.()
    return contact
  }

  /** Contacts that neither side needs. */
  strayContacts(): Contact[] {
    return [...this.contacts.values()].filter((contact) => !this.wants(contact.claims) && !this.isWantedBy(contact))
  }

  /** Forgets ghosts whose zones have owners again. What contacts say of an owner may be older than what this node knows, so only the new owner's own word counts. */
  layGhosts(): void {
    const { atlas } = this
    const isOwned = (zone: Zone): boolean => [...atlas.within(zone)].every((mark) => mark?.source === 'own' || mark?.source === 'contact')
    this.ghosts.retain(({ claim }) => !isOwned(claim.zone))
  }

  /** What follows from what is known must be worked out again. */
  redraw(): void {
    this.drawn = undefined
    this.said = undefined
    this.named = undefined
    this.wanted = undefined
    this.sorted = undefined
  }

  assertInvariants(): void {
    const { territory, contacts, config, self } = this
    const zones = territory.holdings.map(({ zone }) => zone)
    assert(zones.length <= claimsMax, 'own zones are bounded')
    assert(
      zones.every((zone, i) => zones.every((other, j) => i === j || !overlap(zone, other))),
      'own zones do not overlap',
    )
    assert(
      zones.every((zone) => zone.length <= this.space.maxDepth),
      'no zone is smaller than a cell',
    )
    assert(this.counts || territory.isEmpty, 'only who counts has zones')
    assert(contacts.size <= config.contactsMax, 'contacts are bounded')
    for (const id of contacts.keys()) {
      assert(id !== self.id, 'a node is no contact of its own')
      assert(!this.failed.has(id), 'a node that is taken to be dead is no contact')
    }
    assert(this.failed.size <= config.failedMax, 'failed nodes are bounded')
    for (const stretch of this.said?.shared ?? [])
      assert(
        zones.some((zone) => zone.startsWith(stretch)),
        'who shares a zone has a part of it',
      )
  }

  // Working it out

  /** Ghosts at the bottom, hearsay on them, and on top of all what owners say themselves, the claim that counts painted last. */
  private draw(): Atlas {
    const atlas = new Atlas()
    const direct: Mark[] = this.territory.holdings.map((claim) => ({ node: this.self, claim, source: 'own' as const }))
    for (const { ref, claims } of this.contacts.values()) for (const claim of claims) direct.push({ node: ref, claim, source: 'contact' })
    const told: Mark[] = []
    for (const { node, claims } of this.hearsay.values()) {
      // What a contact says of itself counts, whatever others say of an incarnation that it has not told of.
      if (!this.contacts.has(node.id)) for (const claim of claims) told.push({ node, claim, source: 'hearsay' })
    }
    for (const marks of [this.ghosts.marks(), told, direct]) {
      for (const mark of marks.sort(byRank)) if (mark.claim.zone.length <= this.space.maxDepth) atlas.paint(mark.claim.zone, mark)
    }
    return atlas
  }

  /** Of the nodes that contacts speak of and that are no contacts, or have started again since, what is said of their last incarnation. */
  private get hearsay(): ReadonlyMap<Guid, Entry> {
    return (this.named ??= this.collect())
  }

  private collect(): Map<Guid, Entry> {
    const found = new Map<Guid, Entry>()
    for (const { others } of this.contacts.values()) {
      for (const entry of others) {
        const { id, epoch } = entry.node
        if (id === this.self.id || id.length !== this.self.id.length) continue
        const known = found.get(id)?.node ?? this.contacts.get(id)?.ref
        if (known === undefined || known.epoch < epoch) found.set(id, entry)
      }
    }
    return found
  }

  private describe(): Surroundings {
    const claims = this.territory.holdings.map(({ zone, version, caretaker }) => ({ zone, version, caretaker }))
    const groups = [...new Set(claims.map(({ zone }) => this.groupOf(zone)))].slice(0, claimsMax)
    const others = this.nearest.slice(0, othersMax).map(({ ref, claims: theirs }): Entry => ({ node: ref, claims: theirs }))
    const shared = this.config.peersPerZone === 1 ? [] : [...new Set(claims.map(({ zone }) => this.sharedAround(zone)))]
    const said = { claims, groups, shared, others }
    return { ...said, digest: digestOf(said) }
  }

  /** Zone overloading (§3.4): the largest stretch of halvings around a zone that has no more owners than `peersPerZone`, each of them known. */
  private sharedAround(zone: Zone): Zone {
    const nodes = new Set<Guid>([this.self.id])
    for (let prefix = zone; prefix !== ''; prefix = parentOf(prefix)) {
      for (const mark of this.atlas.within(siblingOf(prefix))) {
        if (mark === undefined || mark.source === 'ghost') return prefix
        nodes.add(mark.node.id)
      }
      if (nodes.size > this.config.peersPerZone) return prefix
    }
    return everything
  }

  /** The smallest stretch of halvings around a zone in which `groupMin` nodes are known; everything, when there are fewer. */
  private groupOf(zone: Zone): Zone {
    const nodes = new Set<Guid>([this.self.id])
    let prefix = zone
    while (prefix !== '' && nodes.size < this.config.groupMin) {
      for (const mark of this.atlas.within(siblingOf(prefix))) {
        if (mark !== undefined && mark.source !== 'ghost') nodes.add(mark.node.id)
      }
      prefix = parentOf(prefix)
    }
    return prefix
  }
}

/** Whether one of the zones contains the key with these bits. */
export function owns(claims: readonly Claim[], bits: string): boolean {
  return claims.some(({ zone }) => contains(zone, bits))
}

/** What counts comes last. */
function byRank(a: Mark, b: Mark): number {
  return outranks(a.claim, a.node.id, b.claim, b.node.id) ? 1 : -1
}
