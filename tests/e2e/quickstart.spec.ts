import { test } from '@japa/runner'
import { lastingLeftovers } from '../runner/leftovers.mjs'
import { FreshClone } from '#tests/e2e/fresh_clone'
import { eventsOf, textOf } from '#tests/e2e/api'

/** Includes packages, OpenClaw and the build, on a machine that may be busy. */
const TIMEOUT_MS = 12 * 60_000
/** What a second start says of it: it repeats none. */
const THERE = [/Packages +present/, /OpenClaw \S+ +present/, /Build +up to date/]

test.group('The quickstart', (group) => {
  let clone: FreshClone

  group.setup(() => {
    clone = new FreshClone()
    return () => clone.remove()
  })
  group.each.timeout(TIMEOUT_MS)

  test('leads from a fresh clone to a chat, unattended', async ({ assert }) => {
    await clone.quickstart('--demo')
    const username = /Username +(\S+)/.exec(clone.output)?.[1]
    const password = /Password +(\S+)/.exec(clone.output)?.[1]
    assert.include(clone.output, `${clone.url}/chat`)

    const signedIn = await fetch(`${clone.url}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password }),
    })
    assert.isTrue(signedIn.ok, await signedIn.text())
    const answer = await fetch(`${clone.url}/api/v1/chat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...asBrowser(signedIn) },
      body: JSON.stringify({ message: 'Hello from outside' }),
    })
    const events = eventsOf(await answer.text())
    assert.equal(events.at(-1)?.event, 'done', JSON.stringify(events))
    assert.include(textOf(events), 'Hello from outside')
  })

  test('ends with Ctrl-C, its agents too', async ({ assert }) => {
    assert.equal(await clone.interrupt(), 0)
    assert.include(clone.output, '1 asleep')
    assert.deepEqual(await lastingLeftovers(clone.folder), [])
  })

  test('starts again with what is there, and knows that it is set up', async ({ assert }) => {
    await clone.quickstart()
    for (const said of THERE) assert.match(clone.output, said)
    assert.include(clone.output, `Mosaic runs at  ${clone.url}`)
    assert.notInclude(clone.output, 'token=')
    assert.equal(await clone.interrupt(), 0)
  })
})

/** Returns the headers that a browser sends after a sign-in. */
function asBrowser(answer: Response): Record<string, string> {
  const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split(';')[0])
  const csrf = cookies.find((cookie) => cookie.startsWith('XSRF-TOKEN='))?.split('=')[1] ?? ''
  return { 'cookie': cookies.join('; '), 'x-xsrf-token': decodeURIComponent(csrf) }
}
