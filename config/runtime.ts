import { dirname, join } from 'node:path'
import { readFileSync } from 'node:fs'
import app from '@adonisjs/core/services/app'
import env, { secrets, storagePath } from '#start/env'
import internalConfig from '#config/internal'
import { examineTimers } from '#openclaw/kept_timers'
import { drivers } from '#runtimes/built_in_drivers'
import { defineConfig } from '#runtimes/define_config'
import { privatePlaces } from '#runtimes/engine/private_places'
import { SWARM_OPTIONS } from '#runtimes/drivers/swarm/options'
import type { InferDrivers } from '#drivers/define_config'
import type { DockerSettings } from '#runtimes/drivers/docker/options'

/** Agents run the OpenClaw version pinned in `docker/agent/package.json`. */
const { dependencies } = JSON.parse(
  readFileSync(app.makePath('docker/agent/package.json'), 'utf8')
) as { dependencies: { openclaw: string } }

const openclawIn = (folder: string) =>
  join(folder, 'openclaw', dependencies.openclaw, 'node_modules', 'openclaw')

/** Returns what no agent may reach: private networks, and the database if it listens on the network. */
function forbiddenPlaces() {
  if (secrets.database.client !== 'pg') return privatePlaces()
  const { hostname, port } = new URL(secrets.database.url)
  const database = { name: 'the database', host: hostname, port: Number(port || 5432) }
  return [database, ...privatePlaces()]
}

/** OpenClaw and its launcher script. */
const launch = {
  storage: storagePath,
  openclaw: [openclawIn(storagePath), openclawIn(join(process.cwd(), 'storage'))],
  entrypoint: app.makePath('docker/agent/entrypoint.sh'),
}

const openclawImage = `ghcr.io/openclaw/openclaw:${dependencies.openclaw}`

/** The runtime drivers. The setting `runtime.driver` chooses the one for new instances. */
const runtimeConfig = defineConfig({
  default: 'process',
  launch,
  options: { swarm: SWARM_OPTIONS },
  drivers: {
    process: drivers.process({
      ...launch,
      examineOpenClaw: examineTimers,
      unisolated: env.get('UNISOLATED_AGENTS'),
      egress: async () => (await app.container.make('settings')).get('docker.egress'),
    }),
    docker: drivers.docker({
      entrypoint: launch.entrypoint,
      image: openclawImage,
      internalPort: internalConfig.port,
      forbidden: forbiddenPlaces(),
      processors: async () => (await app.container.make('settings')).get('runtime.cpus'),
      settings: async (): Promise<DockerSettings> => {
        const settings = await app.container.make('settings')
        return {
          host: await settings.get('docker.host'),
          egress: await settings.get('docker.egress'),
          image: await settings.get('runtime.image'),
          pullPolicy: await settings.get('docker.pullPolicy'),
          range: await settings.get('docker.range'),
        }
      },
    }),
    swarm: drivers.swarm({
      scripts: dirname(launch.entrypoint),
      image: openclawImage,
      internalPort: internalConfig.port,
      internalUrl: env.get('INTERNAL_URL') ?? null,
      forbidden: forbiddenPlaces(),
      settings: async () => {
        const settings = await app.container.make('settings')
        return {
          host: await settings.get('swarm.host'),
          sharedPath: await settings.get('swarm.sharedPath'),
          volumeDriver: await settings.get('swarm.volumeDriver'),
          volumeOptions: await settings.get('swarm.volumeOptions'),
          sources: await settings.get('swarm.sources'),
          egress: await settings.get('docker.egress'),
          image: await settings.get('runtime.image'),
        }
      },
    }),
  },
})

export default runtimeConfig

declare module '#runtimes/manager' {
  interface RuntimeDrivers extends InferDrivers<typeof runtimeConfig> {}
}
