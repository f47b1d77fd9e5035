import { mkdtempSync, readdirSync } from 'node:fs'
import { chmod, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as after } from 'node:timers/promises'
import { fetchBy } from '#tests/contracts/gateway_fetch'
import type { Impostor } from '#tests/contracts/impostor'
import type { RuntimeSuite, RuntimeTrial } from '#tests/contracts/runtime'
import type { SuiteTest } from '#tests/contracts/suite'
import type { Instance, InstanceSpec, RuntimeDriver } from '#runtimes/contract'
import { trialSpec } from '#tests/contracts/trial_spec'

const DEADLINE_MS = 60_000
const HERE = 'installation-here'

/** More characters than any line of an honest log. */
const ENDLESS = 6_000_000
/** Maximum characters that the contract lets a log yield. */
const MOST_OF_A_LOG = 4_000_000

/** A process that replaces itself every few hundredths of a second, outside the agent's group and session. */
const SURVIVOR =
  `setsid sh -c 'f() { echo . >>"$OPENCLAW_STATE_DIR/beat"; sleep 0.02; f & }; f' ` +
  '>/dev/null 2>&1 & sleep 0.5; cat "$OPENCLAW_STATE_DIR/beat" | wc -l'

/** Prints twice how much a survivor has written. */
const BEATS =
  'for look in 1 2; do cat "$OPENCLAW_STATE_DIR/beat" | wc -l; sleep 0.5; done; id -u >&2'

export interface HostileTrial extends RuntimeTrial {
  /**
   * Listens at the endpoint of an ended instance, as a neighbour might. Undefined if no neighbour can have
   * that address.
   */
  impersonate?(instance: Instance): Promise<Impostor>
}

export interface HostileAgentSuite extends Pick<RuntimeSuite, 'name' | 'capabilities'> {
  /** Creates a trial for one test. */
  prepare: () => Promise<HostileTrial>
}

/** Attacks that a hostile agent must not succeed with, as tests, for every driver. */
export function hostileAgentSuite(
  test: SuiteTest,
  { name: title, capabilities, prepare }: HostileAgentSuite
): void {
  test.group(`Runtime contract | ${title}, hostile agents`, (group) => {
    let trial: HostileTrial
    let driver: RuntimeDriver

    group.each.setup(async () => {
      trial = await prepare()
      driver = await trial.open(HERE)
      return () => trial.close()
    })

    const patient = () => ({ signal: new AbortController().signal })
    const refOf = ({ name }: { name: string }) => ({ name, state: null })

    const spec = () =>
      trialSpec({ installation: HERE, apiUrl: trial.apiUrlOf?.(HERE) ?? trial.apiUrl })

    async function start(given: InstanceSpec): Promise<Instance> {
      const instance = await driver.ensure(given, patient())
      const deadline = performance.now() + DEADLINE_MS
      while (performance.now() < deadline) {
        const response = await fetchBy(driver)(`${instance.endpoint}/startupz`).catch(() => null)
        if (response?.ok) return instance
        await after(20)
      }
      throw new Error(`The gateway of ${given.name} was not ready in time`)
    }

    /** @param user User named in the request; the double writes it to its log */
    async function chat({ endpoint }: Instance, token: string, user = 'u'): Promise<number> {
      const response = await fetchBy(driver)(`${endpoint}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({ user, messages: [{ role: 'user', content: 'hi' }] }),
        signal: AbortSignal.timeout(DEADLINE_MS),
      })
      await response.arrayBuffer()
      return response.status
    }

    test('takes nobody who answers at the address of an instance for it', async ({ assert }) => {
      // Does not apply to drivers whose endpoints nobody else can have.
      if (!trial.impersonate) return
      const given = spec()
      const former = await start(given)
      await trial.kill(former)
      const deadline = performance.now() + DEADLINE_MS
      while ((await driver.inspect(refOf(given)))?.status !== 'exited') {
        if (performance.now() > deadline) throw new Error('The end was not noticed')
        await after(20)
      }
      const impostor = await trial.impersonate(former)
      try {
        assert.isNull((await driver.inspect(refOf(given)))!.endpoint)
        const present = await start(given)
        const token = given.token.release()
        assert.equal(await chat(present, token), 200)
        // A driver that dials detects that the former instance is gone.
        if (driver.dial) await chat(former, token).catch(() => {})
        assert.notInclude(impostor.heard(), token)
      } finally {
        await impostor.close()
      }
    })

    test('yields a bounded log, however long the lines of an agent are', async ({ assert }) => {
      const given = spec()
      const instance = await start(given)
      await chat(instance, given.token.release(), 'x'.repeat(ENDLESS))
      const lines = await Array.fromAsync(driver.logs(instance, { tail: 20 }))
      assert.isAtMost(lines.length, 20)
      assert.isAtMost(lines.join('').length, MOST_OF_A_LOG)
    })

    if (capabilities.isolation === 'none') return

    /** Returns the output of a command run by an agent. */
    async function within(instance: Instance, command: string): Promise<string> {
      return (await trial.within!.run(instance, command)).output
    }

    const numbers = (text: string) => text.trim().split(/\s+/).map(Number)

    for (const verb of ['stop', 'remove'] as const) {
      test(`leaves nothing running after "${verb}", however it forks`, async ({ assert }) => {
        const given = spec()
        const instance = await start(given)
        assert.isAtLeast(numbers(await within(instance, SURVIVOR))[0], 1)
        await (verb === 'stop' ? driver.stop(instance, { graceMs: 300 }) : driver.remove(instance))

        const [first, second] = numbers(await within(await start(given), BEATS))
        assert.isAtLeast(first, 1)
        assert.equal(second, first)
      })
    }

    test('leaves nothing running of an agent that is purged, and nobody its user', async ({
      assert,
    }) => {
      const given = spec()
      const instance = await start(given)
      await within(instance, SURVIVOR)
      const [user] = numbers(await within(instance, 'id -u'))
      await driver.purge(instance)

      const next = await start(spec())
      assert.isFalse(/beat/.test(await within(next, 'ls -A "$OPENCLAW_STATE_DIR"')))
      // Containers and sandboxes that share one user id separate their agents by namespaces.
      if (['container', 'sandbox-shared-network'].includes(capabilities.isolation)) return
      assert.notEqual(numbers(await within(next, 'id -u'))[0], user)
    })

    for (const verb of ['purge', 'import'] as const) {
      test(`follows no link of an agent on "${verb}"`, async ({ assert, cleanup }) => {
        const outside = mkdtempSync(join(tmpdir(), 'mosaic-outside-'))
        cleanup(() => rm(outside, { recursive: true }))
        await chmod(outside, 0o777)
        await writeFile(join(outside, 'kept'), 'kept')
        const given = spec()
        const instance = await start(given)
        await within(
          instance,
          `cd "$OPENCLAW_STATE_DIR" && ln -s ${outside} link && mkdir deep && ln -s ${outside} deep/link`
        )
        await driver.stop(instance, { graceMs: 2000 })
        if (verb === 'purge') await driver.purge(refOf(given))
        else if (driver.importData) {
          const data = await buffer((await driver.exportData!(refOf(given), patient()))!)
          // Imports over the agent's links, then over links that came with an archive.
          for (let times = 0; times < 2; times++) {
            await driver.importData(given, Readable.from([data]), patient()).catch(() => {})
          }
          await driver.keepImport!(refOf(given))
        }
        assert.deepEqual(readdirSync(outside), ['kept'])
      })
    }
  })
}
