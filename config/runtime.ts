import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import app from '@adonisjs/core/services/app'
import { storagePath } from '#start/env'
import { defineConfig, drivers } from '#runtimes/define_config'

/** The OpenClaw that agents run is the one that `docker/agent/package.json` pins. */
const { dependencies } = JSON.parse(
  readFileSync(app.makePath('docker/agent/package.json'), 'utf8')
) as { dependencies: { openclaw: string } }

const openclawIn = (folder: string) =>
  join(folder, 'openclaw', dependencies.openclaw, 'node_modules', 'openclaw')

/** Where agents run. Which driver new instances are made with is the setting `runtime.driver`. */
const runtimeConfig = defineConfig({
  default: 'process',
  drivers: {
    process: drivers.process({
      storage: storagePath,
      openclaw: [openclawIn(storagePath), openclawIn(join(process.cwd(), 'storage'))],
      entrypoint: app.makePath('docker/agent/entrypoint.sh'),
    }),
    memory: drivers.memory(),
  },
})

export default runtimeConfig

declare module '#runtimes/manager' {
  interface RuntimeDrivers {
    process: true
    memory: true
  }
}
