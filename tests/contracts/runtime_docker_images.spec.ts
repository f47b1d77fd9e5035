import { randomUUID } from 'node:crypto'
import { test } from '@japa/runner'
import { testEngine, type Engine } from '#tests/engine/engine'
import { RuntimeError } from '#runtimes/errors'
import { ImageRegistry } from '#tests/doubles/image_registry'
import { DockerTrial, HERE } from '#tests/contracts/docker_trial'
import { until } from '#tests/contracts/until'
import type { DockerDriver, DockerSettings } from '#runtimes/drivers/docker/driver'

const given = testEngine()
if (given) imagesOn(given)

function imagesOn(engine: Engine): void {
  test.group('Runtime | docker | images', (group) => {
    let trial: DockerTrial
    let registry: ImageRegistry
    let image: string

    group.each.setup(async () => {
      trial = await DockerTrial.prepare(engine)
      registry = await new ImageRegistry().start()
      const name = `agent-${randomUUID().slice(0, 8)}:1`
      registry.publish(name)
      image = registry.reference(name)
      return async () => {
        await removeImages(engine)
        await registry.stop()
        await trial.close()
      }
    })

    const nameIn = (reference: string) => reference.slice(reference.indexOf('/') + 1)
    const patient = (onProgress?: (detail: string) => void) => ({
      signal: new AbortController().signal,
      onProgress,
    })

    function open(
      pullPolicy: DockerSettings['pullPolicy'],
      change: { pullBudgetMs?: number } = {}
    ): Promise<DockerDriver> {
      const settings = async () => ({ host: engine.host, pullPolicy })
      return trial.open(HERE, { settings, ...change })
    }

    const idOf = async (reference: string) =>
      engine.docker
        .getImage(reference)
        .inspect()
        .then(({ Id }) => Id)

    /** Returns the image that an agent would start from. */
    async function pinned(): Promise<string> {
      const images = await engine.docker.listImages({
        filters: { reference: ['mosaic-pinned:*'] },
      })
      const wanted = images.filter(({ RepoTags }) => RepoTags?.some((tag) => /pinned/.test(tag)))
      return wanted[0]?.Id
    }

    async function failure(work: Promise<unknown>): Promise<RuntimeError> {
      const error = await work.catch((thrown) => thrown)
      if (error instanceof RuntimeError) return error
      throw new Error(`It did not fail as a runtime does: ${error}`)
    }

    test('fetches ahead what is missing, and tells of each layer', async ({ assert }) => {
      const told: string[] = []
      await (
        await open('missing')
      ).prepare(
        image,
        patient((detail) => told.push(detail))
      )
      assert.equal(told[0], 'Fetching the image')
      assert.isTrue(told.some((detail) => /^Fetching the image, layer \d of 3/.test(detail)))
      assert.isString(await idOf(image))
    })

    test('fetches nothing twice', async ({ assert }) => {
      const driver = await open('missing')
      await driver.prepare(image, patient())
      const before = registry.asked.length
      await driver.prepare(image, patient())
      assert.lengthOf(registry.asked, before)
    })

    test('stays with the image that it fetched, whatever its name leads to later', async ({
      assert,
    }) => {
      const driver = await open('missing')
      await driver.prepare(image, patient())
      const first = await idOf(image)
      registry.publish(nameIn(image))
      await follow(engine, image)
      assert.notEqual(await idOf(image), first)

      await driver.prepare(image, patient())
      assert.equal(await pinned(), first)
    })

    test('looks at the registry before each start where it is told to', async ({ assert }) => {
      const driver = await open('always')
      await driver.prepare(image, patient())
      const first = await pinned()
      registry.publish(nameIn(image))
      // This image contains no program, so the start must fail.
      await failure(driver.ensure(trial.spec({}, { image }), patient()))
      assert.notEqual(await pinned(), first)
      assert.equal(await pinned(), await idOf(image))
    })

    test('fetches nothing where it is told not to', async ({ assert }) => {
      const driver = await open('never')
      const error = await failure(driver.ensure(trial.spec({}, { image }), patient()))
      assert.equal(error.reason, 'image_missing')
      assert.include(error.help, `docker pull ${image}`)
      assert.lengthOf(registry.asked, 0)
    })

    test('says so when the registry has no such image', async ({ assert }) => {
      const missing = image.replace(/:1$/, ':2')
      const error = await failure((await open('missing')).prepare(missing, patient()))
      assert.equal(error.reason, 'image_missing')
      assert.include(error.message, missing)
    })

    test('gives up when it takes longer than it may', async ({ assert }) => {
      registry.layerMs = 60_000
      const driver = await open('missing', { pullBudgetMs: 300 })
      const error = await failure(driver.ensure(trial.spec({}, { image }), patient()))
      assert.equal(error.reason, 'pull_timeout')
    })

    test('goes on fetching when the one who asked leaves, and lets others join', async ({
      assert,
    }) => {
      registry.layerMs = 500
      const driver = await open('missing')
      const caller = new AbortController()
      const left = driver.prepare(image, {
        signal: caller.signal,
        onProgress: () => caller.abort(new Error('left')),
      })
      await assert.rejects(() => left, 'left')
      await driver.prepare(image, patient())
      const manifests = registry.asked.filter((line) => line.includes('/manifests/1'))
      assert.isAtMost(manifests.length, 2)
      await until(async () => idOf(image).catch(() => null))
    })
  })
}

/** Pulls the image by hand, outside Mosaic. */
async function follow({ docker }: Engine, image: string): Promise<void> {
  const stream = await docker.pull(image)
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve()))
  })
}

async function removeImages({ docker }: Engine): Promise<void> {
  for (const { RepoTags, RepoDigests } of await docker.listImages()) {
    const names = [...(RepoTags ?? []), ...(RepoDigests ?? [])]
    const ours = names.filter((name) => /^(127\.0\.0\.1:\d+\/agent-|mosaic-pinned)/.test(name))
    for (const name of ours) {
      await docker
        .getImage(name)
        .remove({ force: true })
        .catch(() => {})
    }
  }
}
