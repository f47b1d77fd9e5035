import { processesOf } from '#tests/e2e/canaries'
import { firstJourney } from '#tests/e2e/first_journey'

firstJourney('From a fresh database to a conversation', {
  env: {},
  settings: {},
  /** Everything of this installation but its web process. */
  running: async (mosaic) => processesOf(mosaic.storage).filter((pid) => pid !== mosaic.pid),
  /** The agents are processes of this machine, below the installation's folder: both are looked at anyway. */
  leaks: async () => [],
  close: async () => {},
})
