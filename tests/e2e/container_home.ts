import { buffer } from 'node:stream/consumers'
import type { ContainerInspectInfo } from 'dockerode'
import type { Canaries, Leak } from '#tests/e2e/canaries'
import type { Engine } from '#tests/engine/engine'

/** Where an agent has its data: the only place of its container that it may write to for good. */
export const STATE = '/home/node/.openclaw'

/** The launcher and the token, read-only. */
export const HANDED = '/run/mosaic'

/** The containers of the agents on the engine of the tests. */
export class ContainerHome {
  constructor(readonly engine: Engine) {}

  /** What Mosaic is started with, to use this engine and to be reached from its containers. */
  get env(): Record<string, string> {
    return { DOCKER_HOST: this.engine.host, INTERNAL_HOST: '0.0.0.0' }
  }

  /** Ids with the moment of the start, so that one that was started anew is another one. */
  async running(): Promise<string[]> {
    const agents = await this.agents()
    return agents.filter(({ State }) => State.Running).map(({ Id, State }) => Id + State.StartedAt)
  }

  async agents(): Promise<ContainerInspectInfo[]> {
    const { docker } = this.engine
    const found = await docker.listContainers({ all: true, filters: { label: ['mosaic.agent'] } })
    return Promise.all(found.map(({ Id }) => docker.getContainer(Id).inspect()))
  }

  /** The token of an agent, from the only file that holds it. */
  async tokenOf({ Id }: ContainerInspectInfo): Promise<string> {
    const path = `${HANDED}/secrets.json`
    const archive = await buffer(await this.engine.docker.getContainer(Id).getArchive({ path }))
    return /"token":"([^"]+)"/.exec(archive.toString())![1]
  }

  /** Everywhere that a container, its image and its data can be seen from the engine's machine. */
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
      ...(await canaries.inStream('the files of the image', await container.export())),
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
