import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import { UserContainerFactory } from '#database/factories/user_container_factory'
import { UserFactory } from '#database/factories/user_factory'
import { folded } from '#models/folded'
import settings from '#settings/services/main'
import { Visitor } from '#tests/visitor'

const PEOPLE = ['Élodie Dupré', 'Łukasz Žižka', 'ΟΔΥΣΣΕΥΣ', 'Анна ЁЛКИНА', 'Straße 100%_', 'Ab\\c']

const SEARCHES = [
  { search: 'Élodie', finds: 'Élodie Dupré' },
  { search: 'élodie', finds: 'Élodie Dupré' },
  { search: 'ÉLODIE', finds: 'Élodie Dupré' },
  { search: 'elodie dupre', finds: 'Élodie Dupré' },
  { search: 'E\u0301lodie', finds: 'Élodie Dupré' },
  { search: 'lukasz zizka', finds: 'Łukasz Žižka' },
  { search: 'οδυσσευς', finds: 'ΟΔΥΣΣΕΥΣ' },
  { search: 'ёлкина', finds: 'Анна ЁЛКИНА' },
  { search: '100%_', finds: 'Straße 100%_' },
  { search: 'b\\C', finds: 'Ab\\c' },
  { search: '%', finds: 'Straße 100%_' },
  { search: '_', finds: 'Straße 100%_' },
]

/** Length that fits both a name and an email address. */
const LETTERS_OF_A_NAME = 60

test.group('A search by people’s names', (group) => {
  let visitor: Visitor

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    await settings.set('onboarding.completed', true)
    const admin = await UserFactory.apply('admin').merge({ name: 'Ada' }).create()
    const tokens = await app.container.make('identity.tokens')
    const token = (await tokens.create(admin, { name: 'test' })).value!.release()
    visitor = new Visitor({ headers: { authorization: `Bearer ${token}` } })
    const audit = await app.container.make('audit')
    for (const name of PEOPLE) {
      const user = await UserFactory.merge({ name, email: null }).create()
      await UserContainerFactory.merge({ userId: user.id }).create()
      await audit.record({ actor: user, action: 'session.started' })
    }
  })

  const found = async (path: string) => (await visitor.get(`/api/v1/admin/${path}`)).body.data

  test('minds neither case nor accents on any database: {search}')
    .with(SEARCHES)
    .run(async ({ assert }, { search, finds }) => {
      const query = encodeURIComponent(search)
      const users = await found(`users?search=${query}`)
      assert.deepEqual(
        users.map(({ name }: { name: string }) => name),
        [finds]
      )
      assert.lengthOf(await found(`agents?search=${query}`), 1)
      const events = await found(`audit?actor=${query}&action=session`)
      assert.lengthOf(events, 1)
      assert.include(JSON.stringify(events), finds.replace('\\', '\\\\'))
    })

  test('finds nothing where there is nothing', async ({ assert }) => {
    assert.deepEqual(await found('users?search=Zo%C3%AB'), [])
    assert.deepEqual(await found('agents?search=Zo%C3%AB'), [])
  })

  test('reads letters on the database as in the process', async ({ assert }) => {
    const letters = Array.from({ length: 0x590 - 0x20 }, (_, at) => String.fromCharCode(at + 0x20))
      .filter((letter) => /\p{L}/u.test(letter))
      .map((letter) => `${letter} `)
    const { id } = await UserFactory.create()
    for (let at = 0; at < letters.length; at += LETTERS_OF_A_NAME) {
      const name = letters
        .slice(at, at + LETTERS_OF_A_NAME)
        .join('')
        .trim()
      await db.from('users').where('id', id).update({ name })
      const users = await found(`users?search=${encodeURIComponent(name.toLowerCase())}`)
      assert.lengthOf(users, 1, `${name} as ${folded(name)}`)
    }
  })
})
