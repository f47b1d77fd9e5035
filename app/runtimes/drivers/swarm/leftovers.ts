import { LABEL } from '#runtimes/engine/labels'
import type { HandedFiles } from '#runtimes/drivers/swarm/handed_files'
import { isPlaced } from '#runtimes/drivers/swarm/objects'
import type { Services } from '#runtimes/drivers/swarm/services'

/** Far longer than a proof, a job with data or the start of a transfer may take. */
const LEFT_MS = 10 * 60_000

/** Removes probes, stewards and their secrets that a process of Mosaic left behind when it was killed. */
export class Leftovers {
  readonly #services: Services
  readonly #files: HandedFiles

  constructor(services: Services, files: HandedFiles) {
    this.#services = services
    this.#files = files
  }

  async remove(): Promise<void> {
    const before = Date.now() - LEFT_MS
    const isOld = ({ CreatedAt }: { CreatedAt: string }) => Date.parse(CreatedAt) < before
    for (const probe of (await this.#services.ofPurpose('probe')).filter(isOld)) {
      await this.#services.remove(probe.ID)
    }
    for (const steward of (await this.#services.ofPurpose('steward')).filter(isOld)) {
      const tasks = await this.#services.tasks(steward.Spec.Labels[LABEL.name])
      // A transfer has no time limit, and ends by itself when its other end is gone.
      if (!tasks.some(isPlaced)) await this.#services.remove(steward.ID)
    }
    const secrets = await this.#files.secretsOf('steward')
    for (const { ID } of secrets.filter(isOld)) await this.#files.deleteSecret(ID)
  }
}
