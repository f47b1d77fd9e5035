import { chaosRun } from '#tests/e2e/chaos_run'

chaosRun('Replicas of Mosaic, when one is killed or what they stand on is restarted', {
  driver: 'memory',
  rounds: 8,
  faults: 'kill,kill,database,clock',
})
