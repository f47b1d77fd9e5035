import Factory from '@adonisjs/lucid/factories'
import { createId } from '#models/row_id'
import User from '#models/user'

export const UserFactory = Factory.define(User, ({ faker }) => ({
  id: createId(),
  name: faker.person.fullName(),
  email: `${createId()}@example.test`,
  role: 'member' as const,
}))
  .state('admin', (user) => {
    user.role = 'admin'
  })
  .build()
