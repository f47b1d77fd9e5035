import { buffer } from 'node:stream/consumers'
import type { ContainerInspectInfo } from 'dockerode'
import type { Canaries, Leak } from '#tests/e2e/canaries'
import type { Engine } from '#tests/engine/engine'

/** An agent's data folder, the only persistent path that its container can write to. */
export const STATE = '/home/node/.openclaw'

/** Folder with the launcher and the token, read-only. */
export const HANDED = '/run/mosaic'

/** The agents' containers on the tests' engine. */
export class ContainerHome {
  constructor(readonly engine: Engine) {}

  /** Variables that make Mosaic use this engine, reachable from its containers. */
  get env(): Record<string, string> {
    return { DOCKER_HOST: this.engine.host, INTERNAL_HOST: '0.0.0.0' }
  }

  /** Ids with start times, so that a restarted container counts as another one. */
  async running(): Promise<string[]> {
    const agents = await this.agents()
    return agents.filter(({ State }) => State.Running).map(({ Id, State }) => Id + State.StartedAt)
  }

  async agents(): Promise<ContainerInspectInfo[]> {
    const { docker } = this.engine
    const found = await docker.listContainers({ all: true, filters: { label: ['mosaic.agent'] } })
    return Promise.all(found.map(({ Id }) => docker.getContainer(Id).inspect()))
  }

  /** Reads an agent's token from the only file that contains it. */
  async tokenOf({ Id }: ContainerInspectInfo): Promise<string> {
    const path = `${HANDED}/secrets.json`
    const archive = await buffer(await this.engine.docker.getContainer(Id).getArchive({ path }))
    return /"token":"([^"]+)"/.exec(archive.toString())![1]
  }

  /**
   * Searches everywhere that a container, its image and its data are visible from the engine's machine. The image's
   * files are older than the secrets: see that the container changes none.
   */
  async leaks(agent: ContainerInspectInfo, canaries: Canaries): Promise<Leak[]> {
    const { docker } = this.engine
    const container = docker.getContainer(agent.Id)
    const image = docker.getImage(agent.Image)
    const log = await container.logs({ stdout: true, stderr: true, follow: false })
    return [
      ...canaries.inText('docker inspect', JSON.stringify(agent)),
      ...canaries.inText('docker image inspect', JSON.stringify(await image.inspect())),
      ...canaries.inText('docker history', JSON.stringify(await image.history())),
      ...canaries.inText('the log of the container', log),
      ...this.#inProcesses(agent, canaries),
      ...(await canaries.inStream('the data', await container.getArchive({ path: STATE }))),
    ]
  }

  async close(): Promise<void> {
    const { docker } = this.engine
    for (const { Id, Name } of await this.agents()) {
      await docker.getContainer(Id).remove({ force: true, v: true })
      const { Volumes } = await docker.listVolumes({ filters: { name: [Name.slice(1)] } })
      for (const volume of Volumes) await docker.getVolume(volume.Name).remove()
    }
  }

  #inProcesses({ Id }: ContainerInspectInfo, canaries: Canaries): Leak[] {
    return this.engine
      .processesOf(Id)
      .flatMap((pid) =>
        ['cmdline', 'environ'].flatMap((file) =>
          canaries.inText(`/proc/${pid}/${file} in it`, this.engine.readProcess(pid, file))
        )
      )
  }
}
