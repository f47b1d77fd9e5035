import { test } from '@japa/runner'
import { StartGate } from '#agents/waking/start_gate'

const patient = () => new AbortController().signal
const quiet = () => {}

test.group('Start gate', () => {
  test('lets as many in as there are places, the others in their order', async ({ assert }) => {
    const gate = new StartGate()
    const entered: number[] = []
    const leave: (() => void)[] = []
    const calls = [0, 1, 2, 3].map(async (index) => {
      leave[index] = await gate.enter(2, { signal: patient(), tell: quiet })
      entered.push(index)
    })
    await Promise.all(calls.slice(0, 2))
    assert.deepEqual(entered, [0, 1])
    assert.equal(gate.waiting, 2)

    leave[1]()
    await calls[2]
    leave[0]()
    await calls[3]
    assert.deepEqual(entered, [0, 1, 2, 3])
    leave[2]()
    leave[3]()
    leave[3]()
    assert.equal(gate.starting, 0)
  })

  test('tells each its place whenever it changes', async ({ assert }) => {
    const gate = new StartGate()
    const places: number[][] = [[], [], []]
    const leaving = new AbortController()
    const first = await gate.enter(1, { signal: patient(), tell: quiet })
    const lines = places.map((told, index) =>
      gate.enter(1, {
        signal: index === 0 ? leaving.signal : patient(),
        tell: (place) => told.push(place),
      })
    )
    leaving.abort(new Error('gone'))
    await assert.rejects(() => lines[0], 'gone')
    first()
    ;(await lines[1])()
    ;(await lines[2])()
    assert.deepEqual(places, [[1], [2, 1], [3, 2, 1]])
  })

  test('more places let more in', async ({ assert }) => {
    const gate = new StartGate()
    await gate.enter(1, { signal: patient(), tell: quiet })
    const second = gate.enter(1, { signal: patient(), tell: quiet })
    await gate.enter(3, { signal: patient(), tell: quiet })
    await second
    assert.equal(gate.starting, 3)
  })

  test('who has left already does not take a place', async ({ assert }) => {
    const gate = new StartGate()
    await assert.rejects(() =>
      gate.enter(1, { signal: AbortSignal.abort(new Error('gone')), tell: quiet })
    )
    assert.equal(gate.starting + gate.waiting, 0)
  })
})
