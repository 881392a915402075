import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { drawBytes, isRemovable } from '../mix-past.ts'
import type { LedgerObject } from '../past-ledger.ts'
import type { SimNode } from '../simulation.ts'
import type { Trial } from '../trial.ts'

/** A trial that a scenario runs, with the objects that it names by numbers. */
export interface Stage {
  readonly trial: Trial
  readonly objects: Map<number, LedgerObject>
  readonly replicas: number
}

interface VerbSpec {
  /** What its numbers are; the last may stand for several. */
  readonly args: readonly string[]
  /** What names a host among them, by position. */
  readonly hosts: 'none' | 'first' | 'first two' | 'all'
  readonly perform: (stage: Stage, args: readonly number[]) => void
}

export type Verb =
  | 'start'
  | 'crash'
  | 'wipe'
  | 'leave'
  | 'loss'
  | 'jitter'
  | 'slow'
  | 'block'
  | 'clock'
  | 'cut'
  | 'cut-one-way'
  | 'heal'
  | 'put'
  | 'put-named'
  | 'get'
  | 'remove'
  | 'publish'
  | 'unpublish'
  | 'send'
  | 'locate'

/** Losing so many messages, reads may fail: the mix's threshold. */
const impairingLoss = 0.05

/**
 * Everything that can be done in a scenario. Whatever cannot be done at its moment, such as crashing who is down already, is left out: so any list of events is a
 * scenario, and events can be taken away one by one.
 */
export const verbs: Readonly<Record<Verb, VerbSpec>> = {
  start: {
    args: ['host'],
    hosts: 'first',
    perform: ({ trial }, [host]) => {
      const node = trial.simulation.nodes[host!]
      if (node !== undefined && !node.running) trial.simulation.restart(node)
    },
  },
  crash: { args: ['host'], hosts: 'first', perform: ({ trial }, [host]) => running(trial, host!, (node) => trial.simulation.crash(node)) },
  wipe: {
    args: ['host'],
    hosts: 'first',
    perform: ({ trial }, [host]) => running(trial, host!, (node) => trial.simulation.crash(node, { wipe: true })),
  },
  leave: { args: ['host'], hosts: 'first', perform: ({ trial }, [host]) => member(trial, host!, (node) => trial.simulation.leave(node)) },

  loss: {
    args: ['share'],
    hosts: 'none',
    perform: ({ trial }, [share]) => {
      trial.simulation.network.loss = Math.min(1, share!)
      disturb(trial, share! >= impairingLoss)
    },
  },
  jitter: { args: ['ms'], hosts: 'none', perform: ({ trial }, [ms]) => void (trial.simulation.network.jitterMs = ms!) },
  slow: {
    args: ['host', 'ms'],
    hosts: 'first',
    perform: ({ trial }, [host, ms]) => {
      trial.simulation.network.setSlowness(host!, ms!)
      disturb(trial, true)
    },
  },
  block: {
    args: ['sender', 'receiver'],
    hosts: 'first two',
    perform: ({ trial }, [sender, receiver]) => {
      trial.simulation.network.setLinkLoss(sender!, receiver!, 1)
      disturb(trial, true)
    },
  },
  clock: {
    args: ['host', 'rate'],
    hosts: 'first',
    perform: ({ trial }, [host, rate]) => trial.simulation.simulator.clocks.setDrift(host!, rate! - 1, trial.simulation.now),
  },
  cut: { args: ['host…'], hosts: 'all', perform: ({ trial }, hosts) => cut(trial, hosts, false) },
  'cut-one-way': { args: ['host…'], hosts: 'all', perform: ({ trial }, hosts) => cut(trial, hosts, true) },
  heal: { args: [], hosts: 'none', perform: ({ trial }) => trial.simulation.network.heal() },

  put: { args: ['host', 'object', 'bytes'], hosts: 'first', perform: (stage, args) => put(stage, args, false) },
  'put-named': { args: ['host', 'object', 'bytes'], hosts: 'first', perform: (stage, args) => put(stage, args, true) },
  get: {
    args: ['host', 'object'],
    hosts: 'first',
    perform: ({ trial, objects }, [host, object]) => {
      const known = objects.get(object!)
      if (known !== undefined) member(trial, host!, (node) => trial.past.get(node, known))
    },
  },
  remove: {
    args: ['object'],
    hosts: 'none',
    perform: ({ trial, objects }, [object]) => {
      const known = objects.get(object!)
      if (known !== undefined && isRemovable(known)) trial.past.remove(known)
    },
  },

  publish: {
    args: ['host', 'object'],
    hosts: 'first',
    perform: ({ trial }, [host, object]) => member(trial, host!, (node) => trial.dolr.publish(node, guidNumber(trial, object!))),
  },
  unpublish: {
    args: ['host', 'object'],
    hosts: 'first',
    perform: ({ trial }, [host, object]) => {
      const guid = guidNumber(trial, object!)
      const hosting = trial.dolr.hostings().find((each) => each.guid === guid && each.node.host.index === host)
      if (hosting !== undefined) trial.dolr.unpublish(hosting.node, guid)
    },
  },
  send: {
    args: ['host', 'object', 'receivers'],
    hosts: 'first',
    perform: ({ trial }, [host, object, n]) =>
      published(trial, object!, (guid) => member(trial, host!, (node) => trial.dolr.send(node, guid, n!))),
  },
  locate: {
    args: ['host', 'object', 'hosts'],
    hosts: 'first',
    perform: ({ trial }, [host, object, n]) =>
      published(trial, object!, (guid) => member(trial, host!, (node) => trial.dolr.locate(node, guid, n!))),
  },
}

function running(trial: Trial, host: number, act: (node: SimNode) => void): void {
  const node = trial.simulation.nodes[host]
  if (node?.running === true) act(node)
}

/** Whether it is a member that is not leaving decides. */
function member(trial: Trial, host: number, act: (node: SimNode) => void): void {
  const node = trial.simulation.nodes[host]
  if (node?.ready === true && !node.leaving) act(node)
}

function disturb(trial: Trial, impaired: boolean): void {
  trial.disturbed = true
  if (impaired) trial.setImpaired(true)
}

function cut(trial: Trial, hosts: readonly number[], oneWay: boolean): void {
  trial.simulation.network.partition([hosts], { oneWay })
  disturb(trial, true)
}

function put({ trial, objects, replicas }: Stage, [host, object, bytes]: readonly number[], named: boolean): void {
  if (objects.has(object!)) return
  member(trial, host!, (node) => {
    const content = drawBytes(trial.simulation.simulator.stream(`object ${object}`), bytes!)
    const made = trial.past.put(node, content, { named, replicas })
    if (made !== undefined) objects.set(object!, made)
  })
}

function published(trial: Trial, object: number, act: (guid: Guid) => void): void {
  const guid = guidNumber(trial, object)
  if (trial.dolr.objects.has(guid)) act(guid)
}

function guidNumber(trial: Trial, object: number): Guid {
  return randomGuid(trial.simulation.simulator.stream(`published ${object}`))
}
