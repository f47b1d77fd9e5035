import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { dialGatewaysWith } from '#runtimes/gateway_connections'
import { ProcessDriver } from '#runtimes/drivers/process/driver'
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
  reach: (mosaic, name) => {
    const record = join(mosaic.storage, 'agents', name, 'instance.json')
    const { installation } = JSON.parse(readFileSync(record, 'utf8'))
    const paths = { storage: mosaic.storage, openclaw: [], entrypoint: '' }
    const driver = new ProcessDriver(paths, installation)
    dialGatewaysWith((endpoint, signal) => driver.dial(endpoint, signal))
  },
  /** Later specs have their own gateways, on plain TCP. */
  close: async () => dialGatewaysWith(async () => null),
})

/** Returns an empty string if the process has ended. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}
