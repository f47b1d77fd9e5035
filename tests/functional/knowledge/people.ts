import { twoPeople, type Person } from '#tests/functional/user_settings/provider_input'
import { Visitor } from '#tests/visitor'

export interface Caller extends Person {
  visitor: Visitor
}

/** Two unrelated users, each ready to call the API. */
export async function twoCallers(): Promise<[me: Caller, other: Caller]> {
  const [me, other] = (await twoPeople()).map((person) => ({
    ...person,
    visitor: new Visitor({ headers: { authorization: `Bearer ${person.token}` } }),
  }))
  return [me, other]
}

export const codeOf = ({ body }: { body: any }): string => body.errors?.[0]?.code
