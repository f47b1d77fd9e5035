import { processesOf } from '#tests/e2e/canaries'
import { firstJourney } from '#tests/e2e/first_journey'

firstJourney('From a fresh database to a conversation', {
  env: {},
  settings: {},
  /** All processes of this installation except its web process. */
  running: async (mosaic) => processesOf(mosaic.storage).filter((pid) => pid !== mosaic.pid),
  /** The agents are processes below the installation's folder; the journey searches both anyway. */
  leaks: async () => [],
  close: async () => {},
})
