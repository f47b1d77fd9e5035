import { chaosRun } from '#tests/e2e/chaos_run'

chaosRun('Replicas of Mosaic, when one is killed beside its agents', {
  driver: 'process',
  rounds: 6,
  faults: 'kill',
})
