import { PassThrough } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from '@japa/runner'
import type { RuntimeFinding } from '#runtimes/contract'
import { Engine } from '#runtimes/engine/engine'
import { IsolationProofs } from '#runtimes/drivers/docker/isolation_proofs'
import { PEERS, UNREACHABLE } from '#runtimes/drivers/docker/isolation_findings'
import { Watcher } from '#runtimes/drivers/docker/watcher'
import { TestClock } from '#tests/doubles/test_clock'

const MINUTE = 60_000

/** Proofs that end when the test says so. */
class Trial {
  readonly clock = new TestClock()
  readonly made: PromiseWithResolvers<RuntimeFinding[]>[] = []
  isGuarded = true
  readonly #proofs = new IsolationProofs({
    clock: this.clock,
    isGuarded: () => this.isGuarded,
    prove: async () => {
      const proof = Promise.withResolvers<RuntimeFinding[]>()
      this.made.push(proof)
      return { findings: await proof.promise, at: this.clock.elapsed() }
    },
  })

  /** Returns codes of findings. */
  async examine(): Promise<string[]> {
    return (await this.#proofs.examine('image')).map(({ code }) => code)
  }

  /** Ends the latest proof. */
  async end(findings: RuntimeFinding[]): Promise<void> {
    this.made.at(-1)!.resolve(findings)
    await turn()
  }

  async prove(findings: RuntimeFinding[]): Promise<string[]> {
    const examined = this.examine()
    await this.end(findings)
    return examined
  }
}

test.group('Docker driver | proofs of isolation', () => {
  test('count for some minutes, and are made anew beside those who ask', async ({ assert }) => {
    const trial = new Trial()
    assert.deepEqual(await trial.prove([]), [])
    trial.clock.advance(6 * MINUTE)
    assert.deepEqual(await trial.examine(), [])
    assert.deepEqual(await trial.examine(), [])
    assert.lengthOf(trial.made, 2)
    await trial.end([PEERS])
    assert.deepEqual(await trial.examine(), [PEERS.code])
  })

  test('do not count after a quiet time', async ({ assert }) => {
    const trial = new Trial()
    await trial.prove([])
    trial.clock.advance(16 * MINUTE)
    assert.deepEqual(await trial.prove([PEERS]), [PEERS.code])
  })

  test('do not count once the guard is gone, or is back', async ({ assert }) => {
    const trial = new Trial()
    await trial.prove([])
    trial.isGuarded = false
    assert.deepEqual(await trial.prove([PEERS]), [PEERS.code])
    trial.isGuarded = true
    assert.deepEqual(await trial.prove([]), [])
  })

  test('do not overlap, however long one takes, and are tried again some time after they failed', async ({
    assert,
  }) => {
    const trial = new Trial()
    const first = trial.examine()
    trial.clock.advance(MINUTE)
    const second = trial.examine()
    assert.lengthOf(trial.made, 1)
    await trial.end([PEERS])
    assert.deepEqual([await first, await second], [[PEERS.code], [PEERS.code]])
    assert.deepEqual(await trial.examine(), [PEERS.code])
    assert.lengthOf(trial.made, 1)
    trial.clock.advance(11_000)
    assert.deepEqual(await trial.prove([]), [])
  })

  test('count on although a busy machine hinders the next one', async ({ assert }) => {
    const trial = new Trial()
    await trial.prove([])
    trial.clock.advance(6 * MINUTE)
    await trial.examine()
    await trial.end([UNREACHABLE])
    assert.deepEqual(await trial.examine(), [])
  })
})

test.group('Docker driver | rules of the packet filter', () => {
  test('are looked after while somebody watches, at each listing', async ({ assert }) => {
    const streams: PassThrough[] = []
    const docker = {
      listContainers: async () => [],
      getEvents: async () => {
        streams.push(new PassThrough())
        return streams.at(-1)
      },
    }
    const engine = Object.assign(Engine.at('tcp://engine:2375'), { docker })
    const looks = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let looked = 0
    const onLook = async () => looks[looked++]?.resolve()
    const watcher = new Watcher(engine as never, 'here', { emit: () => {} }, onLook)
    watcher.start()
    await looks[0].promise
    streams[0].end()
    await looks[1].promise
    watcher.stop()
    assert.equal(looked, 2)
  })
})
