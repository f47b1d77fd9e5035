import { test } from '@japa/runner'
import { RuntimeError } from '#runtimes/errors'
import { Subnets } from '#runtimes/drivers/docker/subnets'
import { logLines } from '#runtimes/engine/log_lines'
import { PullProgress } from '#runtimes/engine/pull_progress'
import { Engine, isNameConflict } from '#runtimes/engine/engine'

test.group('Docker driver | networks of agents', () => {
  const first = (range: string, name: string, taken: string[] = []) =>
    [...new Subnets(range).candidates(name, taken, 1)][0]

  test('are small, within the range, and the same for a name each time', ({ assert }) => {
    const { range, gateway } = first('10.213.0.0/16', 'mosaic-user-a')
    assert.match(range, /^10\.213\.\d+\.\d+\/29$/)
    const last = Number(/\.(\d+)\/29$/.exec(range)![1])
    assert.equal(last % 8, 0)
    assert.equal(gateway, range.replace(/\d+\/29$/, String(last + 1)))
    assert.deepEqual(first('10.213.0.0/16', 'mosaic-user-a'), { range, gateway })
  })

  test('keep clear of what is taken, in whatever size', ({ assert }) => {
    const all = [...new Subnets('192.168.7.0/26').candidates('a', ['192.168.7.0/27'], 99)]
    assert.sameMembers(
      all.map(({ range }) => range),
      ['192.168.7.32/29', '192.168.7.40/29', '192.168.7.48/29', '192.168.7.56/29']
    )
    assert.isUndefined(first('192.168.7.0/26', 'a', ['fd00::/8', '', '192.168.0.0/16']))
  })
})

test.group('Docker driver | words while an image is fetched', () => {
  test('count layers and megabytes, and change only when something has', ({ assert }) => {
    const progress = new PullProgress()
    assert.equal(progress.detail, 'Fetching the image')
    assert.isFalse(progress.add({ status: 'Pulling from openclaw/openclaw', id: '2026.9.6' }))
    for (const id of ['a', 'b']) progress.add({ id, status: 'Pulling fs layer' })
    assert.equal(progress.detail, 'Fetching the image, layer 1 of 2')

    const downloading = (current: number) => ({
      id: 'a',
      status: 'Downloading',
      progressDetail: { current, total: 50_000_000 },
    })
    assert.isTrue(progress.add(downloading(20_000_000)))
    assert.equal(progress.detail, 'Fetching the image, layer 1 of 2 (20 of 50 MB)')
    assert.isFalse(progress.add(downloading(20_000_100)))
    progress.add({ id: 'a', status: 'Pull complete' })
    assert.equal(progress.detail, 'Fetching the image, layer 2 of 2 (50 of 50 MB)')
    assert.isFalse(progress.add({ status: 'Status: Downloaded newer image' }))
  })
})

test.group('Docker driver | logs', () => {
  const frame = (text: string, stream = 2) => {
    const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0])
    header.writeUInt32BE(Buffer.byteLength(text), 4)
    return Buffer.concat([header, Buffer.from(text)])
  }

  test('are lines, however the engine cuts them', ({ assert }) => {
    const bytes = Buffer.concat([frame('one\ntw'), frame('o\r\n', 1), frame('drei ✓\n')])
    assert.deepEqual(logLines(bytes), ['one', 'two', 'drei ✓'])
    assert.deepEqual(logLines(Buffer.alloc(0)), [])
  })
})

test.group('Docker driver | failures of an engine', () => {
  const engine = Engine.at('unix:///var/run/docker.sock')
  const failure = (properties: object, message = 'it failed') =>
    engine.explained(Object.assign(new Error(message), properties))

  test('have a reason and a next step', ({ assert }) => {
    const refused = failure({ code: 'ECONNREFUSED' })
    assert.equal(refused.reason, 'engine_unreachable')
    assert.match(refused.help!, /Start it/)

    const forbidden = failure({ code: 'EACCES' })
    assert.equal(forbidden.reason, 'engine_unreachable')
    assert.match(forbidden.help!, /group "docker"/)

    const full = failure({ statusCode: 500 }, 'write /var/lib/docker: no space left on device')
    assert.equal(full.reason, 'no_capacity')

    const words = 'range of CPUs is from 0.01 to 1.00, as there are only 1 CPUs available'
    const few = failure({ statusCode: 400 }, `(HTTP code 400) bad parameter - ${words} `)
    assert.equal(few.reason, 'no_capacity')
    assert.equal(few.message, `The Docker engine has too few processors: ${words}`)
    assert.match(few.help!, /Lower the processors/)

    const other = failure({ statusCode: 400 }, '(HTTP code 400) bad parameter - no such option ')
    assert.equal(other.reason, 'internal')
    assert.equal(other.message, 'The Docker engine refused: no such option')
  })

  test('are told from a taken name, as Docker and as Podman say it', ({ assert }) => {
    assert.isTrue(isNameConflict(failure({ statusCode: 409 })))
    assert.isTrue(isNameConflict(failure({ statusCode: 500 }, 'the name "a" is already in use')))
    assert.isFalse(isNameConflict(failure({ statusCode: 500 })))
  })

  test('include an address that is none', ({ assert }) => {
    assert.throws(() => Engine.at('ssh://somewhere'), RuntimeError)
    assert.throws(() => Engine.at('nonsense'), RuntimeError)
  })

  test('include an engine that takes calls and does not answer', async ({ assert }) => {
    const error: any = await engine.call(() => new Promise(() => {}), 20).catch((thrown) => thrown)
    assert.equal(error.reason, 'engine_unreachable')
    assert.match(error.message, /did not answer in time/)
  })
})
