import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from '@japa/runner'
import { SERVER_FLAGS } from '../../../bin/server_flags.mjs'

const YOUNG_BYTES = 16 * 1024 * 1024

const startScript = new URL('../../../docker/start.sh', import.meta.url)

test.group('The arguments of the server', () => {
  test('are the same in the image as with npm start', ({ assert }) => {
    const [, arguments_] = /^exec node (.+) bin\/server\.js$/m.exec(
      readFileSync(startScript, 'utf8')
    )!
    assert.deepEqual(arguments_.split(' '), SERVER_FLAGS)
  })

  test('give the young part of the heap its size from the start', ({ assert }) => {
    const script = `
      const spaces = require('node:v8').getHeapSpaceStatistics()
      console.log(spaces.find(({ space_name }) => space_name === 'new_space').space_size)`
    const size = execFileSync(process.execPath, [...SERVER_FLAGS, '-e', script], {
      encoding: 'utf8',
    })
    assert.equal(Number(size), YOUNG_BYTES)
  })
})
