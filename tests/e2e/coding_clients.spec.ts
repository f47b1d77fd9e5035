import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Assert } from '@japa/assert'
import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import { Workspace, type CodingClient, type RunningClient } from '#tests/e2e/clients/coding_client'
import { codex, continueCli, opencode } from '#tests/e2e/clients/coding_clients'
import { ClientHouse } from '#tests/e2e/clients/house'
import { busy, PIXEL, TARGETS } from '#tests/e2e/clients/sdk'
import type { ModelBody, Said } from '#tests/e2e/scripted_turn'

const TIMEOUT_MS = 300_000
const FILES = { 'a.txt': 'The first number is 4711.', 'b.txt': 'The second number is 815.' }

test.group('Clients that write code, and the real OpenClaw', (group) => {
  const house = new ClientHouse()
  const { model } = house
  let homes: string
  let place: Workspace

  group.setup(() => testUtils.db().truncate())
  group.setup(async () => {
    await house.open()
    return () => house.close()
  })
  group.setup(() => {
    homes = mkdtempSync(join(tmpdir(), 'mosaic-homes-'))
    return () => rmSync(homes, { recursive: true, force: true, maxRetries: 5 })
  })
  group.each.setup(() => house.reset())
  group.each.timeout(TIMEOUT_MS)

  for (const client of [opencode, continueCli, codex]) {
    for (const [target, asked] of Object.entries(TARGETS)) {
      /** A case with a new folder to work in. */
      const show = (feature: string, run: (assert: Assert) => Promise<void>) =>
        test(`${client.name}, ${target}: ${feature}`, async ({ assert }) => {
          const home = join(homes, client.name.replace(/\W/g, ''))
          mkdirSync(home, { recursive: true })
          place = new Workspace(home)
          await run(assert).finally(() => place.remove())
        })
      const start = (prompt: string, image?: string): RunningClient =>
        place.start(client.command({ model: asked, prompt, image }, place, house.connection))

      show('answers', async (assert) => {
        const { code, out } = await start('Good morning').ended()
        assert.include(out, 'Hello there.')
        assert.equal(code, 0)
      })

      show('runs its tools, two at once', async (assert) => {
        const paths = Object.entries(FILES).map(([name, content]) => place.add(name, content))
        model.script = (body) => (toldAll(body) ? { text: 'Read.' } : readsOf(client, body, paths))
        const { out } = await start('Which numbers are there?').ended()
        assert.include(out, 'Read.')
        assert.isTrue(toldAll(model.bodies.at(-1)!))
      })

      if (client.takesImages) {
        show('shows an image', async (assert) => {
          const image = place.add('dot.png', Buffer.from(PIXEL.split(',')[1], 'base64'))
          await start('Which colour?', image).ended()
          assert.include(JSON.stringify(model.bodies), 'data:image/')
        })
      }

      show('aborts', async () => {
        model.script = () => ({ begins: 'It was a dark and ' })
        const left = model.whenLeft()
        const running = start('Tell a story')
        await model.whenBegun()
        running.stop('SIGINT')
        await left
        running.stop('SIGKILL')
        await running.ended()
      })

      show('tells why the provider refuses', async (assert) => {
        model.script = () => busy(401)
        const { out, err } = await start('Good morning').ended()
        assert.include(out + err, 'The key of work was refused.')
      })

      for (const status of [429, 503]) {
        show(`tries again after a ${status}`, async (assert) => {
          let refused = 0
          model.script = () => (refused++ === 0 ? busy(status) : { text: 'Now.' })
          const { out } = await start('Good morning').ended()
          assert.include(out, 'Now.')
        })
      }

      show('waits for a sleeping agent', async (assert) => {
        house.sleep()
        assert.include((await start('Good morning').ended()).out, 'Hello there.')
      })
    }
  }
})

/** Whether the model has read all files. */
const toldAll = (body: ModelBody) =>
  Object.values(FILES).every((content) => JSON.stringify(body).includes(content))

/** Calls of the client's tool, by the name under which it was offered. */
function readsOf(client: CodingClient, { tools = [] }: ModelBody, paths: string[]): Said {
  const offered = new Set(tools.map((tool) => tool.name ?? tool.function?.name))
  const calls = paths.map((path) => {
    const { name, args } = client.read(path)
    return { name: offered.has(name) ? name : `client_${name}`, args }
  })
  return { calls }
}
