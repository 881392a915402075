import { joinOne } from '../../growing.ts'
import { overlays } from '../../overlays.ts'
import { summarize } from '../../summary.ts'
import { plane } from '../../topology.ts'
import { sentWhile } from '../../traffic.ts'
import type { Report } from '../report.ts'
import { World } from '../world.ts'
import type { ExperimentOptions } from '../world.ts'
import { growTo } from './paper-pastry.ts'

/**
 * What a join costs (Middleware 2001, §2.4): O(log N) messages with a constant of about 3·2^b remote procedure calls. All that all nodes send because one joins, its second stage and the
 * announcements included; upkeep is slowed down to once an hour, and what is left of it is taken off.
 */
export function joinCost(options: ExperimentOptions): Report {
  const { nodes = 2000, repeats = 20, onProgress } = options
  const world = new World(options, { nodes, topology: plane(), subject: overlays.pastry({ calm: true }) })
  const { simulation } = world
  const rows = sizesUpTo(nodes).map((size) => {
    growTo(simulation, size - repeats, onProgress)
    simulation.run(stillMs)
    const idle = sentWhile(simulation, () => simulation.run(repeats * windowMs)).messages / repeats
    const messages = Array.from({ length: repeats }, () => {
      const end = simulation.now + windowMs
      const sent = sentWhile(simulation, () => {
        joinOne(simulation)
        simulation.run(Math.max(0, end - simulation.now))
      })
      return sent.messages - idle
    })
    return { size, messages: summarize(messages), calls: constant * logOf(size) }
  })
  const [least, most] = [rows[0]!, rows.at(-1)!]
  const growth = most.messages.mean / least.messages.mean
  const allowed = (1.25 * logOf(most.size)) / logOf(least.size)
  return {
    title: `one node joins on the plane, ${repeats} times at each size: messages of all nodes in the ${windowMs / 1000} s after it began`,
    columns: ['nodes', 'messages, ours', 'at most', 'published calls, 3·2^b·log16 N (T)', 'messages a call'],
    rows: rows.map(({ size, messages, calls }) => [String(size), messages.mean, messages.max.toFixed(0), calls, messages.mean / calls]),
    remarks: [
      'A call is a question and its answer, two messages. Beyond the paper’s join, ours confirms its leaf set with every member and measures round trips.',
    ],
    claims: [
      {
        says: `messages grow with log N, a quarter more at most: from ${least.size} to ${most.size} nodes at most ${allowed.toFixed(2)}-fold`,
        holds: growth <= allowed,
        measured: `${growth.toFixed(2)}-fold`,
      },
    ],
    traceHash: simulation.traceHash,
  }
}

/** 3·2^b. */
const constant = 48
/** Longer than a join with its second stage. */
const windowMs = 20_000
/** By then those who came last have measured all they wanted to. */
const stillMs = 60_000

function logOf(nodes: number): number {
  return Math.log(nodes) / Math.log(16)
}

function sizesUpTo(nodes: number): number[] {
  return [...new Set([125, 250, 500, 1000, 2000, 5000, 10_000, nodes])].filter((size) => size <= nodes).sort((a, b) => a - b)
}
