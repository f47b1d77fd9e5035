import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as after } from 'node:timers/promises'
import { fetchBy } from '#tests/contracts/gateway_fetch'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'
import type { SuiteTest } from '#tests/contracts/suite'
import type { RuntimeTrial } from '#tests/contracts/runtime'
import type { Instance, InstanceSpec, RuntimeDriver } from '#runtimes/contract'
import { trialSpec } from '#tests/contracts/trial_spec'

const DEADLINE_MS = 60_000

const HERE = 'installation-here'
const ELSEWHERE = 'installation-elsewhere'

export interface RuntimeDataSuite {
  /** The driver's name, for test titles. */
  name: string
  /** Creates a trial for one test. */
  prepare: () => Promise<RuntimeTrial>
  /** How long a test may take, for drivers that are slow to start and move. */
  timeoutMs?: number
}

/** The contract of `exportData` and `importData`, as tests, for drivers that have both. */
export function runtimeDataSuite(
  test: SuiteTest,
  { name: title, prepare, timeoutMs }: RuntimeDataSuite
): void {
  test.group(`Runtime contract | ${title}, data on the move`, (group) => {
    let trial: RuntimeTrial
    let driver: RuntimeDriver

    if (timeoutMs) group.each.timeout(timeoutMs)
    group.each.setup(async () => {
      trial = await prepare()
      driver = await trial.open(HERE)
      return () => trial.close()
    })

    const patient = () => ({ signal: new AbortController().signal })
    const refOf = ({ name }: InstanceSpec) => ({ name, state: null })
    const take = (given: InstanceSpec) => driver.exportData!(refOf(given), patient())
    const put = (given: InstanceSpec, data: Buffer) =>
      driver.importData!(given, Readable.from([data]), patient())

    const spec = () =>
      trialSpec({ installation: HERE, apiUrl: trial.apiUrlOf?.(HERE) ?? trial.apiUrl })

    /** Starts the agent, has it answer that often, and stops it. Each answer tells the number of its turn. */
    async function turns(count: number, given: InstanceSpec, by = driver): Promise<string> {
      const instance = await by.ensure(given, patient())
      await ready(by, instance)
      let answer = ''
      for (let turn = 0; turn < count; turn++) answer = await chat(by, instance, given)
      await by.stop(instance, { graceMs: 2000 })
      return answer
    }

    const turn = (given: InstanceSpec, by = driver) => turns(1, given, by)

    let kept: Buffer | null = null

    /** What an agent gives after its first turn. Made once: each case brings it to an agent of its own. */
    async function oneTurn(): Promise<Buffer> {
      if (kept) return kept
      const one = spec()
      await turn(one)
      return (kept = await buffer((await take(one))!))
    }

    test('has nothing to give where nothing is', async ({ assert }) => {
      assert.isNull(await take(spec()))
    })

    test('gives the data, and another agent remembers what the first did', async ({ assert }) => {
      const two = spec()
      await put(two, await oneTurn())
      assert.equal(await turn(two), 'Turn 2: hi')
    })

    test('takes data in pieces of any size', async ({ assert }) => {
      const data = await oneTurn()
      for (const size of [100, 512, 700, 64 * 1024]) {
        const two = spec()
        const pieces = Array.from({ length: Math.ceil(data.length / size) }, (_, index) =>
          data.subarray(index * size, (index + 1) * size)
        )
        await driver.importData!(two, Readable.from(pieces), patient())
        assert.equal(await turn(two), 'Turn 2: hi', `in pieces of ${size} bytes`)
      }
    })

    test('moves data to another runtime, and back', async ({ assert, cleanup }) => {
      const other = new MemoryDriver({}, HERE)
      cleanup(() => other.close())
      const given = spec()
      await turn(given)
      await other.importData(given, (await take(given))!, patient())
      await driver.purge(refOf(given))
      assert.equal(await turn(given, other), 'Turn 2: hi')
      await driver.importData!(given, (await other.exportData(refOf(given)))!, patient())
      assert.equal(await turn(given), 'Turn 3: hi')
    })

    test('gives it without changing it', async ({ assert }) => {
      const given = spec()
      await turn(given)
      await buffer((await take(given))!)
      assert.equal(await turn(given), 'Turn 2: hi')
    })

    test('notes of an import where the data is, as of a start', async ({ assert }) => {
      const [one, two] = [spec(), spec()]
      await turn(one)
      const data = (await take(one))!
      const notes = (await driver.importData!(two, data, patient())) ?? {}
      const { state } = await driver.ensure(two, { ...patient(), state: notes })
      assert.containsSubset(state, notes)
      if (trial.elsewhere) assert.isNotEmpty(notes)
    })

    test('takes data back that was purged', async ({ assert }) => {
      const given = spec()
      await turn(given)
      const data = await buffer((await take(given))!)
      await driver.purge(refOf(given))
      await put(given, data)
      assert.equal(await turn(given), 'Turn 2: hi')
    })

    test('puts data in the place of what was there', async ({ assert }) => {
      const two = spec()
      await turns(3, two)
      await put(two, await oneTurn())
      assert.equal(await turn(two), 'Turn 2: hi')
    })

    test('owns all that it gives as the agent of a container does', async ({ assert }) => {
      for (const { path, owner } of entriesOf(await oneTurn()))
        assert.deepEqual([path, owner], [path, '1000:1000'])
    })

    test('has nothing when what arrives breaks off', async ({ assert }) => {
      const two = spec()
      const begun = broken(await oneTurn())
      await assert.rejects(() => driver.importData!(two, begun, patient()))
      const left = await take(two)
      assert.isTrue(left === null || (await buffer(left)).indexOf('contract') === -1)
      assert.equal(await turn(two), 'Turn 1: hi')
    })

    /** An agent with its own data, replaced by another agent's data of one turn. */
    async function replaced(count: number): Promise<InstanceSpec> {
      const two = spec()
      if (count > 0) await turns(count, two)
      await put(two, await oneTurn())
      return two
    }

    /** Streams the start of an archive, then fails. */
    const broken = (data: Buffer) =>
      Readable.from(
        (async function* () {
          yield data.subarray(0, 700)
          throw new Error('The line broke')
        })()
      )

    test('keeps what was there when what arrives breaks off', async ({ assert }) => {
      const given = spec()
      await turns(3, given)
      const data = await buffer((await take(given))!)
      await assert.rejects(() => driver.importData!(given, broken(data), patient()))
      assert.equal(await turn(given), 'Turn 4: hi')
    })

    test('gives back what an import replaced, until the import is kept', async ({ assert }) => {
      const given = await replaced(3)
      assert.equal(await turn(given), 'Turn 2: hi')
      assert.isTrue(await driver.undoImport!(refOf(given)))
      assert.isNull(await take(given))
      assert.equal(await turn(given), 'Turn 4: hi')
      assert.isFalse(await driver.undoImport!(refOf(given)))
      assert.equal(await turn(given), 'Turn 5: hi')
    })

    test('gives back what an import replaced, however many starts with it fail', async ({
      assert,
    }) => {
      const given = await replaced(3)
      assert.isTrue(await driver.undoImport!(refOf(given)))
      for (let step = 1; step <= 3; step++) {
        const leaving = new AbortController()
        let steps = 0
        const onProgress = () => {
          if (++steps === step) leaving.abort(new Error('left'))
        }
        await driver.ensure(given, { signal: leaving.signal, onProgress }).catch(() => {})
        await driver.stop(refOf(given), { graceMs: 2000 })
      }
      assert.equal(await turn(given), 'Turn 4: hi')
    })

    test('undoes an import twice as once, and removes the instance', async ({ assert }) => {
      const given = await replaced(3)
      await ready(driver, await driver.ensure(given, patient()))
      await driver.stop(refOf(given), { graceMs: 2000 })
      for (let times = 0; times < 2; times++) {
        assert.isTrue(await driver.undoImport!(refOf(given)))
        assert.isNull(await driver.inspect(refOf(given)))
      }
      assert.equal(await turn(given), 'Turn 4: hi')
    })

    test('has nothing to give back once an import is kept', async ({ assert }) => {
      const given = await replaced(3)
      await turn(given)
      for (let times = 0; times < 2; times++) await driver.keepImport!(refOf(given))
      assert.isFalse(await driver.undoImport!(refOf(given)))
      assert.equal(await turn(given), 'Turn 3: hi')
    })

    test('sets the same data aside however many imports follow, whole or broken', async ({
      assert,
    }) => {
      const given = await replaced(3)
      await turn(given)
      const data = await buffer((await take(given))!)
      await put(given, data)
      await assert.rejects(() => driver.importData!(given, broken(data), patient()))
      await put(given, data)
      assert.equal(await turn(given), 'Turn 3: hi')
      assert.isTrue(await driver.undoImport!(refOf(given)))
      assert.equal(await turn(given), 'Turn 4: hi')
    })

    test('has nothing to give back where an import replaced nothing', async ({ assert }) => {
      const given = await replaced(0)
      assert.isFalse(await driver.undoImport!(refOf(given)))
      assert.isFalse(await driver.undoImport!(refOf(spec())))
      await driver.keepImport!(refOf(spec()))
      assert.equal(await turn(given), 'Turn 2: hi')
    })

    test('purges what an import replaced as well', async ({ assert }) => {
      const given = await replaced(3)
      await driver.purge(refOf(given))
      assert.isFalse(await driver.undoImport!(refOf(given)))
      assert.equal(await turn(given), 'Turn 1: hi')
    })

    test('keeps and undoes no import of another installation', async ({ assert }) => {
      const given = await replaced(3)
      await turn(given)
      const stranger = await trial.open(ELSEWHERE)
      assert.isFalse(await stranger.undoImport!(refOf(given)))
      await stranger.keepImport!(refOf(given))
      assert.isTrue(await driver.undoImport!(refOf(given)))
    })

    test('writes nothing where the links of an archive lead', async ({ assert }) => {
      const outside = await mkdtemp(join(tmpdir(), 'mosaic-outside-'))
      await chmod(outside, 0o777)
      const given = spec()
      // Refusing the archive and skipping the file behind the link are both correct.
      await put(given, throughLink(outside)).catch(() => {})
      await driver.purge(refOf(given))
      assert.deepEqual(await readdir(outside), [])
      await rm(outside, { recursive: true })
    })

    test('deletes nothing where the links of an archive lead', async ({ assert }) => {
      const outside = await mkdtemp(join(tmpdir(), 'mosaic-outside-'))
      await chmod(outside, 0o777)
      await writeFile(join(outside, 'kept'), '')
      const given = spec()
      for (let times = 0; times < 2; times++) await put(given, link(outside)).catch(() => {})
      await driver.purge(refOf(given))
      assert.deepEqual(await readdir(outside), ['kept'])
      await rm(outside, { recursive: true })
    })

    test('ends with its caller', async ({ assert }) => {
      const leaving = new AbortController()
      const silent = new Readable({ read() {} })
      const given = spec()
      const importing = driver.importData!(given, silent, { signal: leaving.signal })
      setTimeout(() => {
        leaving.abort(new Error('left'))
        silent.destroy()
      }, 200)
      await assert.rejects(() => importing)
      assert.equal(await turn(given), 'Turn 1: hi')
    })

    test('gives nothing of what another installation has', async ({ assert }) => {
      const given = spec()
      await turn(given)
      const stranger = await trial.open(ELSEWHERE)
      assert.isNull(await stranger.exportData!(refOf(given), patient()))
    })
  })
}

async function chat(driver: RuntimeDriver, instance: Instance, given: InstanceSpec) {
  const response = await fetchBy(driver)(`${instance.endpoint}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      'authorization': `Bearer ${given.token.release()}`,
      'x-openclaw-session-key': 'contract',
    },
    body: JSON.stringify({ model: 'openclaw', messages: [{ role: 'user', content: 'hi' }] }),
    signal: AbortSignal.timeout(DEADLINE_MS),
  })
  const body = (await response.json()) as any
  return body.choices[0].message.content as string
}

async function ready(driver: RuntimeDriver, { endpoint, name }: Instance): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS
  while (performance.now() < deadline) {
    const response = await fetchBy(driver)(`${endpoint}/startupz`).catch(() => null)
    if (response?.ok) return
    await after(20)
  }
  throw new Error(`The gateway of ${name} was not ready in time`)
}

/** Creates an archive with a link to a folder outside. */
function link(outside: string): Buffer {
  return tarOf((folder) => symlinkSync(outside, join(folder, 'out')))
}

/** Creates an archive with such a link, followed by a file behind it. */
function throughLink(outside: string): Buffer {
  const file = tarOf((folder) => {
    mkdirSync(join(folder, 'out'))
    writeFileSync(join(folder, 'out', 'planted'), '')
  })
  // Cuts off the first archive's end marker, so that the second continues it.
  return Buffer.concat([link(outside).subarray(0, 1024), file])
}

/** Creates an archive of 512-byte blocks: one for the folder itself, one for each entry. */
function tarOf(fill: (folder: string) => void): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'mosaic-archive-'))
  fill(folder)
  const options = ['--format=ustar', '--owner=1000', '--group=1000', '--create']
  const made = execFileSync('tar', [...options, '--directory', folder, '.'])
  rmSync(folder, { recursive: true })
  return made
}

/** Yields the entries of a tar archive. */
function* entriesOf(data: Buffer): Iterable<{ path: string; owner: string }> {
  const octal = (at: number, length: number) =>
    Number.parseInt(data.toString('ascii', at, at + length).replace(/\0.*$/, ''), 8)
  for (let at = 0; at + 512 <= data.length && data[at] !== 0;) {
    const path = data.toString('utf8', at, at + 100).replace(/\0.*$/, '')
    yield { path, owner: `${octal(at + 108, 8)}:${octal(at + 116, 8)}` }
    at += 512 + Math.ceil(octal(at + 124, 12) / 512) * 512
  }
}
