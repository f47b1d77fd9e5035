import { test } from '@japa/runner'
import { ORIGIN } from '#tests/browser/chromium'
import { giveDemoModel, readyInstallation, signIn } from '#tests/browser/installation'
import {
  answers,
  LONG_AGO,
  past,
  questions,
  say,
  stream,
  tellHistory,
} from '#tests/browser/told_chat'

const DONE: [string, object] = ['done', { conversationId: 'c1' }]
const asked = (text: string, startedAt = LONG_AGO): [string, object] => [
  'question',
  { text, startedAt },
]
const said = (text: string): [string, object] => ['delta', { text }]

test.group('A chat in a browser when something breaks', (group) => {
  group.each.setup(async () => {
    const ready = await readyInstallation()
    await giveDemoModel(ready.admin)
    return ready.restore
  })

  test('asks what is sent before an answer under way is found behind that one', async ({
    assert,
    browserContext,
  }) => {
    await signIn(browserContext)
    const page = await browserContext.newPage()
    await tellHistory(page, () => [past('user', 'Count')])
    const looked = Promise.withResolvers<void>()
    const queued = Promise.withResolvers<void>()
    await page.route(/\/c1\/run$/, async (route) => {
      looked.resolve()
      await queued.promise
      await stream(route, asked('Count'), said('One, two.'), DONE)
    })
    let isFound = false
    await page.route(/\/api\/v1\/chat$/, async (route) => {
      isFound = await answers(page, 'done').getByText('One, two.').isVisible()
      await stream(route, said('Three.'), DONE)
    })
    await page.goto(`${ORIGIN}/chat/c1`)
    await questions(page).getByText('Count').waitFor()
    await looked.promise
    await say(page, 'Go on')
    await questions(page).getByText('Go on').waitFor()
    queued.resolve()
    await answers(page, 'done').getByText('Three.').waitFor()
    assert.isTrue(isFound)
    await answers(page, 'done').getByText('One, two.').waitFor()
  })
})
