import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { dialGatewaysWith } from '#runtimes/gateway_connections'
import { ProcessDriver } from '#runtimes/drivers/process/driver'
import { processesOf } from '../runner/processes.mjs'
import type { MosaicProcess } from '#tests/e2e/mosaic_process'
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
    const driver = driverOf(mosaic, name)
    dialGatewaysWith((endpoint, signal) => driver.dial(endpoint, signal))
  },
  suspend: (mosaic, name) => driverOf(mosaic, name).suspend({ name, state: null }),
  /** Later specs have their own gateways, on plain TCP. */
  close: async () => dialGatewaysWith(async () => null),
})

/** Another driver for the agents of this Mosaic, as a second process of it has. */
function driverOf({ storage }: MosaicProcess, name: string): ProcessDriver {
  const record = join(storage, 'agents', name, 'instance.json')
  const { installation } = JSON.parse(readFileSync(record, 'utf8'))
  return new ProcessDriver({ storage, openclaw: [], entrypoint: '' }, installation)
}

/** Returns an empty string if the process has ended. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}
