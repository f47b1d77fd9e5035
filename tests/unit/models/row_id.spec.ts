import { test } from '@japa/runner'
import { createId } from '#models/row_id'

test.group('Ids of rows', () => {
  test('are letters and digits, a letter first, and 24 of them', ({ assert }) => {
    for (let count = 0; count < 500; count++) assert.match(createId(), /^[a-z][a-z0-9]{23}$/)
  })

  test('have something of their own in each place', ({ assert }) => {
    const ids = Array.from({ length: 500 }, createId)
    assert.lengthOf(new Set(ids), 500)
    for (let place = 0; place < 24; place++)
      assert.isAbove(new Set(ids.map((id) => id[place])).size, 20, `at ${place}`)
  })
})
