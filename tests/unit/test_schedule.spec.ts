import { setImmediate as turn } from 'node:timers/promises'
import { test } from '@japa/runner'
import { Schedule } from '../runner/schedule.mjs'

interface Run {
  name: string
  needs: string[]
  uses?: string[]
}

const run = (name: string, uses: string[] = [], needs: string[] = []): Run => ({
  name,
  uses,
  needs,
})

/** A schedule whose suites end when they are told to. */
function begin(runs: Run[], places: number) {
  const running = new Map<string, PromiseWithResolvers<void>>()
  const work = ({ name }: Run) => {
    const ends = Promise.withResolvers<void>()
    running.set(name, ends)
    return ends.promise.finally(() => running.delete(name))
  }
  const schedule = new Schedule(runs, { places, work })
  const over = schedule.run()
  over.catch(() => {})
  const end = async (...names: string[]) => {
    for (const name of names) running.get(name)!.resolve()
    await turn()
  }
  return { schedule, over, running, end, names: () => [...running.keys()] }
}

test.group('The schedule of suites', () => {
  test('fills its places, the first ones first', async ({ assert }) => {
    const { names, end, over } = begin([run('a'), run('b'), run('c')], 2)
    assert.deepEqual(names(), ['a', 'b'])
    await end('a')
    assert.deepEqual(names(), ['b', 'c'])
    await end('b', 'c')
    await over
  })

  test('never runs two at a time that use the same', async ({ assert }) => {
    const runs = [run('a', ['machine']), run('b', ['machine']), run('c', ['engine']), run('d')]
    const { names, end, over } = begin(runs, 3)
    assert.deepEqual(names(), ['a', 'c', 'd'])
    await end('d')
    assert.deepEqual(names(), ['a', 'c'])
    await end('a')
    assert.deepEqual(names(), ['c', 'b'])
    await end('b', 'c')
    await over
  })

  test('begins a suite once what it needs is there', async ({ assert }) => {
    const { schedule, names, end, over } = begin([run('a', [], ['x', 'y']), run('b')], 2)
    assert.deepEqual(names(), ['b'])
    schedule.add('x')
    await end('b')
    assert.deepEqual(names(), [])
    schedule.add('y')
    await turn()
    assert.deepEqual(names(), ['a'])
    await end('a')
    await over
  })

  test('starts no more after it was stopped, and waits for those that run', async ({ assert }) => {
    const { schedule, names, end, over } = begin([run('a'), run('b')], 1)
    schedule.stop()
    await end('a')
    assert.deepEqual(names(), [])
    await over
  })

  test('fails as a suite could not be run, once the others have ended', async ({ assert }) => {
    const { running, names, end, over } = begin([run('a'), run('b'), run('c')], 2)
    running.get('a')!.reject(new Error('no disk'))
    await turn()
    assert.deepEqual(names(), ['b'])
    await end('b')
    await assert.rejects(() => over, 'no disk')
  })
})
