import type { Listing } from '@plaxton/simulator'
import type { Command } from './lab.ts'

/** A command of the lab: how the list of experiments shows it, where it is one, and how to get it. */
export interface LabCommand {
  readonly listing?: Listing
  /** Each is loaded when it is called. */
  readonly load: () => Promise<Command>
}

/** The lab's commands by name. */
export const commands: Readonly<Record<string, LabCommand>> = {
  compare: {
    listing: {
      says: 'all overlays under one workload',
      paper: 'none',
      setup: '200 nodes an overlay, three networks of each',
      messages: 1e7,
    },
    load: async () => (await import('./compare/command.ts')).compareCommand,
  },
  claims: {
    listing: {
      says: 'what is claimed for overlays over routing by IP alone',
      paper: 'Coulouris et al., chapter 10',
      setup: '100 nodes, seven rows',
      messages: 1e6,
    },
    load: async () => (await import('./claims/command.ts')).claimsCommand,
  },
  fuzz: {
    listing: {
      says: 'small networks and what goes wrong in them, until a check fails; shrinks that',
      paper: 'swarm testing (ISSTA 2012); delta debugging (TSE 2002)',
      setup: '2 to 16 nodes a run, for a minute',
      messages: 1e5,
    },
    load: async () => (await import('./fuzz/command.ts')).fuzzCommand,
  },
  run: { load: async () => (await import('./run/command.ts')).runCommand },
  page: { load: async () => (await import('./results/command.ts')).pageCommand },
  list: { load: async () => (await import('./list/command.ts')).listCommand },
}
