import Factory from '@adonisjs/lucid/factories'
import { createId } from '#models/row_id'
import UserContainer from '#models/user_container'
import { UserFactory } from '#database/factories/user_factory'

export const UserContainerFactory = Factory.define(UserContainer, () => ({
  id: createId(),
  containerName: `mosaic-user-${createId()}`,
  idleTimeoutMin: 30,
  status: 'stopped' as const,
  desired: 'stopped' as const,
}))
  .relation('user', () => UserFactory)
  .build()
