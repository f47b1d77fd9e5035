import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { processesOf } from '#tests/e2e/canaries'
import { workAtHome } from '#tests/e2e/work_at_home'

workAtHome('An agent at work, with the real OpenClaw', {
  env: {},
  settings: {},
  running: async (mosaic, command) =>
    processesOf(mosaic.storage)
      .filter((pid) => commandOf(pid) === command)
      .map(String),
  kill: async (pid) => void process.kill(Number(pid), 'SIGKILL'),
  token: async (mosaic, name) => {
    const secrets = join(mosaic.storage, 'agents', name, 'secrets.json')
    return JSON.parse(readFileSync(secrets, 'utf8')).token
  },
  close: async () => {},
})

/** Empty where it has ended meanwhile. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}
