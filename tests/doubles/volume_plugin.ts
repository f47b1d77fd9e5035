import { once } from 'node:events'
import { mkdirSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'

/** Where engines look for plugins that are programs of the machine. */
const FOLDER = '/run/docker/plugins'

interface Asked {
  Name?: string
  Opts?: Record<string, string>
}

/** A volume plugin of all engines of this machine, whose volumes are folders that they share. */
export class VolumePlugin {
  /** The options of each volume, by its name. */
  readonly volumes = new Map<string, Record<string, string>>()
  readonly #server: Server
  readonly #socket: string

  constructor(
    readonly name: string,
    readonly folder: string
  ) {
    this.#socket = join(FOLDER, `${name}.sock`)
    this.#server = createServer(async (request, response) => {
      const asked = (await json(request).catch(() => ({}))) as Asked
      const answer = this.#answer(request.url!, asked)
      response.setHeader('content-type', 'application/vnd.docker.plugins.v1.1+json')
      response.end(JSON.stringify({ Err: '', ...answer }))
    })
  }

  /** Starts it for as long as this process lives: an engine that has used it asks it whenever volumes are listed. */
  async start(): Promise<void> {
    mkdirSync(FOLDER, { recursive: true })
    rmSync(this.#socket, { force: true })
    this.#server.listen(this.#socket).unref()
    await once(this.#server, 'listening')
    process.once('exit', () => rmSync(this.#socket, { force: true }))
  }

  #answer(path: string, { Name = '', Opts }: Asked): object {
    const Mountpoint = join(this.folder, Name)
    switch (path) {
      case '/Plugin.Activate':
        return { Implements: ['VolumeDriver'] }
      case '/VolumeDriver.Capabilities':
        return { Capabilities: { Scope: 'global' } }
      case '/VolumeDriver.Create':
        this.volumes.set(Name, Opts ?? {})
        mkdirSync(Mountpoint, { recursive: true })
        return {}
      case '/VolumeDriver.Remove':
        this.volumes.delete(Name)
        rmSync(Mountpoint, { recursive: true, force: true })
        return {}
      case '/VolumeDriver.Get':
        return this.volumes.has(Name)
          ? { Volume: { Name, Mountpoint } }
          : { Err: `There is no volume ${Name}` }
      case '/VolumeDriver.List':
        return { Volumes: [...this.volumes.keys()].map((one) => ({ Name: one })) }
      default:
        return { Mountpoint }
    }
  }
}
