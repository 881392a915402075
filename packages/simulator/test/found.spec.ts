import assert from 'node:assert/strict'
import { runScenario } from '../src/fuzz/run.ts'
import { parseScenario } from '../src/fuzz/scenario.ts'
import { overlays } from '../src/overlays.ts'
import type { OverlayName } from '../src/overlays.ts'

// What `plaxton lab fuzz` has found, shrunk and told in a sentence. Each runs on every overlay: what one got wrong, another may.

const found: ReadonlyArray<readonly [story: string, scenario: string]> = [
  ['two nodes: the way from a key to itself is no way (Chord; the check was wrong)', 'seed 7; 0 start 2; 0 start 3'],
  [
    'the only node that has met both sides of a cut dies before it is healed; one is told of the other then (Chord; no protocol could do without)',
    'seed 213; 0 start 1; 0 start 3; 38 cut 0 1 2; 52 start 7; 53 crash 3',
  ],
  ['the same, and it leaves instead (Chord)', 'seed 325; 0 start 0; 0 start 1; 16 cut 0; 29 start 4; 62 leave 1'],
  [
    'the last member dies while one is joining through it, and at the same moment another comes, who finds nobody (Chord; two networks)',
    'seed 214; 0 start 0; 0 start 1; 15 slow 0 1781; 23 crash 1; 23 start 1; 29 crash 0; 29 start 2',
  ],
  [
    'messages lost and late while three are cut off one way, and one of them leaves (Chord; two rings)',
    'seed 184; on plane; notice 20; past 3; 0 start 0; 0 loss 0.1; 0 jitter 67; 0.06 start 3; 0.1 start 5; 14.658 cut-one-way 7 3 2 5; 54.098 leave 5; 55.1 leave 1',
  ],
  [
    'a node delivers its own message as its root and leaves in the same step (all but Pastry; the check was wrong)',
    'seed 90090; on uniform 10 ms; dolr sender 2 60000 0 0 0; 50 start 0; 52 start 1; 53 publish 1 7; 53 leave 1',
  ],
  [
    'a node comes back without its disk two seconds after it died (CAN; hosts that never became members)',
    'seed 133; 0 clock 7 0.999; 2 start 2; 3 start 3; 4 start 4; 5 start 5; 7.071 start 7; 10 start 10; 28.449 wipe 7; 30.245 start 7',
  ],
  [
    'whoever gives a joiner its place cannot hear it, and leaves (CAN; the joiner waited for ever)',
    'seed 2176; 0 start 0; 0 start 1; 0 block 1 0; 8 leave 0',
  ],
]

describe('scenarios that fuzz has found', function () {
  this.timeout(20_000)
  for (const [story, scenario] of found) {
    for (const overlay of Object.keys(overlays) as OverlayName[]) {
      it(`${overlay}: ${story}`, () => {
        const { violations } = runScenario(parseScenario(scenario), overlays[overlay]())
        assert.deepEqual(violations.kept, [], `npm run lab -- fuzz --overlay ${overlay} --replay '${scenario}'`)
      })
    }
  }
})
