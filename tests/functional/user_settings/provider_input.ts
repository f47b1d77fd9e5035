import app from '@adonisjs/core/services/app'
import settings from '#settings/services/main'
import type User from '#models/user'
import { UserFactory } from '#database/factories/user_factory'

/** Planted as a key: must appear only where secrets are opened. */
export const CANARY_KEY = 'canary-provider-key-9f8e7d6c'

/** A provider as the form submits it. */
export const openAi = (changes: object = {}) => ({
  type: 'openai',
  name: 'work-openai',
  displayName: 'Work',
  apiKey: CANARY_KEY,
  models: [{ id: 'gpt-5.4', name: 'GPT-5.4', contextWindow: 400_000, maxTokens: 128_000 }],
  ...changes,
})

/** A user who calls the API with an access token. */
export interface Person {
  user: User
  token: string
}

/** Completes the onboarding and creates two unrelated users. */
export async function twoPeople(): Promise<[me: Person, other: Person]> {
  await settings.set('onboarding.completed', true)
  return [await makePerson(), await makePerson()]
}

async function makePerson(): Promise<Person> {
  const user = await UserFactory.create()
  const tokens = await app.container.make('identity.tokens')
  const token = await tokens.create(user, { name: 'test' })
  return { user, token: token.value!.release() }
}
