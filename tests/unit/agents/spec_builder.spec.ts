import { test } from '@japa/runner'
import { Secret } from '@adonisjs/core/helpers'
import { buildSpec, type SpecInput } from '#agents/instances/start_plan'
import SystemContainer from '#models/system_container'
import UserContainer from '#models/user_container'

const rowOf = (changes: Partial<UserContainer> = {}) =>
  Object.assign(new UserContainer(), {
    id: 'row',
    userId: 'one',
    containerName: 'mosaic-user-one',
    generation: 4,
    specHash: null,
    ...changes,
  })

const input = (changes: Partial<SpecInput> = {}): SpecInput => ({
  row: rowOf(),
  installation: 'here',
  apiUrl: 'http://127.0.0.1:3334',
  token: new Secret('token'),
  image: null,
  limits: { memoryMb: 2048, cpus: 2, processes: 512 },
  ...changes,
})

test.group('Spec of an instance', () => {
  test('names the agent, its instance and where it finds Mosaic', ({ assert }) => {
    const { token, hash, ...spec } = buildSpec(input())
    assert.deepEqual(spec, {
      name: 'mosaic-user-one',
      agent: 'user/one',
      installation: 'here',
      apiUrl: 'http://127.0.0.1:3334',
      image: null,
      limits: { memoryMb: 2048, cpus: 2, processes: 512 },
      generation: 5,
    })
    assert.match(hash, /^[0-9a-f]{64}$/)
    assert.equal(token.release(), 'token')
  })

  test('is the same for the same values', ({ assert }) => {
    const first = buildSpec(input())
    const again = buildSpec(input({ row: rowOf({ specHash: first.hash, generation: 5 }) }))
    assert.equal(again.hash, first.hash)
    assert.equal(again.generation, 5)
  })

  test('is another one as soon as anything of it changes', ({ assert }) => {
    const changes: Partial<SpecInput>[] = [
      {},
      { image: 'mosaic/agent:2' },
      { apiUrl: 'http://10.0.0.1:3334' },
      { limits: { memoryMb: 4096, cpus: 2, processes: 512 } },
      { row: rowOf({ containerName: 'other' }) },
      { installation: 'there' },
      { token: new Secret('other') },
    ]
    const hashes = changes.map((change) => buildSpec(input(change)).hash)
    assert.equal(new Set(hashes).size, changes.length)
  })

  test('of a system agent has its name only where an engine takes it', ({ assert }) => {
    const system = (name: string) =>
      buildSpec(input({ row: Object.assign(new SystemContainer(), { id: 'x1', name }) }))
    assert.include(system('mosaic-system-ops'), { name: 'mosaic-system-ops', agent: 'system/x1' })
    assert.equal(system('../etc').name, 'mosaic-system-x1')
  })
})
