import { test } from '@japa/runner'
import LlmProvider from '#models/llm_provider'
import app from '@adonisjs/core/services/app'
import type { BrowserContext } from 'playwright'
import type { AgentKey } from '#agents/types'
import { LlmProviderFactory } from '#database/factories/llm_provider_factory'
import UserAgentConfig from '#models/user_agent_config'
import User from '#models/user'
import { ORIGIN } from '#tests/browser/chromium'
import { holdAnswer } from '#tests/browser/held_answer'
import { giveDemoModel, openPage, readyInstallation, signIn } from '#tests/browser/installation'

const SECRET = 'sk-canary-5f1d2c3b4a-9876'

test.group('Settings in a browser', (group) => {
  let owner: User
  let agent: AgentKey

  /** An agent that restarts with a new personality once what it does has ended. */
  async function restartThatWaits(context: BrowserContext) {
    const lifecycle = await app.container.make('agents.lifecycle')
    const activity = await app.container.make('agents.activity')
    await lifecycle.ensureRunning(agent)
    const page = await openPage(context)
    const told = page.waitForResponse(/\/agent\/events$/)
    await page.goto(`${ORIGIN}/settings/agent`)
    await told
    const effect = page.getByTestId('change-effect')
    const end = activity.begin(agent)
    await page.locator('textarea').fill('You are brief.')
    await page.getByRole('button', { name: 'Save' }).click()
    await effect.and(page.locator('[data-phase=restarting]')).waitFor()
    return { page, effect, activity, end }
  }

  group.each.setup(async () => {
    const { admin, restore } = await readyInstallation()
    owner = admin
    agent = `user/${admin.id}`
    await giveDemoModel(admin)
    return restore
  })

  test('a key is written, and never read again', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext, '/settings/providers')
    await page.getByRole('button', { name: 'Add a provider' }).click()
    await page.getByTestId('type-custom').click()
    await page.getByLabel(/address/i).fill('http://127.0.0.1:9/v1')
    await page.getByLabel(/key/i).first().fill(SECRET)
    await page.getByTestId('test-connection').click()
    await page.getByTestId('connection-test').getByText('Not tried').first().waitFor({
      state: 'attached',
    })
    await page.getByPlaceholder('Models').fill('my-model')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').getByRole('button', { name: 'Add a provider' }).click()

    await page.getByText('Set, ends in …9876').waitFor()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    assert.notInclude(await page.content(), SECRET)
    await page.reload()
    await page.getByText('Set, ends in …9876').waitFor()
    assert.notInclude(await page.content(), SECRET)
  })

  test('a personality is saved and can be seen as it will be read', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext, '/settings/agent')
    const personality = page.locator('textarea')
    await personality.fill('You are **calm**.')
    await page.getByRole('tab', { name: 'Preview' }).click()
    assert.equal(await page.locator('.prose-text strong').innerText(), 'calm')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved', { exact: true }).first().waitFor()
    await page.reload()
    await personality.waitFor()
    assert.equal(await personality.inputValue(), 'You are **calm**.')
  })

  test('an access token is shown once, with examples', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext, '/settings/tokens')
    await page.getByRole('button', { name: 'Create a token' }).click()
    await page.getByLabel('Name').fill('My script')
    await page.getByRole('checkbox', { name: 'by the field “user”' }).click()
    const creation = page.waitForRequest(/\/api\/v1\/tokens$/)
    await page.getByRole('dialog').getByRole('button', { name: 'Create a token' }).click()
    assert.isFalse((await creation).postDataJSON().userNamesConversation)
    const token = await page.getByTestId('new-token').innerText()
    assert.match(token, /^mos_/)
    assert.include(await page.getByRole('dialog').locator('pre').innerText(), token)

    const answer = await fetch(`${ORIGIN}/api/v1/me`, {
      headers: { authorization: `Bearer ${token}` },
    })
    assert.equal(answer.status, 200)
    await page.getByRole('button', { name: 'I have copied it' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.getByText('My script').waitFor()
    assert.notInclude(await page.content(), token)
  })

  test('a token can be copied where the browser keeps its clipboard from pages', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext)
    await page.addInitScript(() =>
      Object.defineProperty(navigator, 'clipboard', { value: undefined })
    )
    await page.goto(`${ORIGIN}/settings/tokens`)
    const dialog = page.getByRole('dialog')
    const create = async (name: string) => {
      await page.getByRole('button', { name: 'Create a token' }).first().click()
      await dialog.getByLabel('Name').fill(name)
    }
    await create('Nightly report')
    await dialog.getByRole('button', { name: 'Create a token' }).click()
    const copied = dialog.getByRole('button', { name: 'Copied', exact: true }).waitFor()
    await dialog.getByRole('button', { name: 'Copy the token' }).click()
    await copied
    await dialog.getByRole('button', { name: 'I have copied it' }).click()
    await dialog.waitFor({ state: 'detached' })

    await create('')
    await dialog.getByLabel('Name').press('Control+v')
    assert.match(await dialog.getByLabel('Name').inputValue(), /^mos_/)
  })

  test('deleting a provider names what the agent loses', async ({ browserContext }) => {
    const page = await openPage(browserContext, '/settings/providers')
    await page.getByRole('button', { name: 'More about Demo model' }).click()
    await page.getByRole('menuitem', { name: 'Delete' }).click()
    await page.getByText('its primary model, demo/echo').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await page.getByText('You have no provider yet').waitFor()
  })

  test('a fallback model is added, removed and added again', async ({ assert, browserContext }) => {
    const models = ['echo', 'mirror'].map((id) => ({ id, name: id }))
    await LlmProvider.query()
      .where('name', 'demo')
      .update({ models: JSON.stringify(models) })
    const page = await openPage(browserContext, '/settings/agent')
    const chosen = page.getByRole('button', { name: 'Remove demo/mirror' })
    const add = page.getByRole('combobox', { name: 'Add a fallback model' })
    for (let turn = 0; turn < 2; turn++) {
      await add.click()
      await page.getByRole('option', { name: 'demo/mirror' }).click()
      await chosen.waitFor()
      assert.equal(await add.innerText(), 'There are no more models to add')
      await chosen.click()
      await chosen.waitFor({ state: 'detached' })
    }
  })

  test('an awake agent is seen to take a new personality over', async ({ browserContext }) => {
    const page = await openPage(browserContext, '/settings/agent')
    await page.getByTestId('agent-pill').click()
    await page.getByRole('button', { name: 'Wake it' }).click()
    await page.locator('[data-testid=agent-pill][data-mood=awake]').waitFor()
    await page.keyboard.press('Escape')

    await page.getByRole('button', { name: 'Patient tutor' }).click()
    await page.getByText('Your agent is awake. It applies the changes').waitFor()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.locator('[data-testid=change-effect][data-phase=done]').waitFor()
  })

  test('what became of the last change is told, not of the one before it', async ({
    browserContext,
  }) => {
    const { page, effect, activity, end } = await restartThatWaits(browserContext)
    await page.locator('textarea').fill('You are calm.')
    await effect.waitFor({ state: 'detached' })
    end()
    await page.getByText('Your agent has restarted with the new settings.').first().waitFor()
    const endAgain = activity.begin(agent)
    await page.getByRole('button', { name: 'Save' }).click()
    await effect.and(page.locator('[data-phase=restarting]')).waitFor()
    endAgain()
  })

  test('nothing is waited for that was not heard while the connection was gone', async ({
    browserContext,
  }) => {
    const { effect, end } = await restartThatWaits(browserContext)
    ;(await app.container.make('agents.event_streams')).close()
    await effect.waitFor({ state: 'detached' })
    end()
  })

  test('what is typed while it is saved stays, and is saved next', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext, '/settings/agent')
    const personality = page.locator('textarea')
    await personality.fill('You are calm.')
    const saved = await holdAnswer(page, 'PUT', /\/api\/v1\/agent-config$/)
    await page.getByRole('button', { name: 'Save' }).click()
    await saved.held
    await personality.fill('You are calm and brief.')
    await saved.release()
    await page.getByText('Saved', { exact: true }).first().waitFor()
    assert.equal(await personality.inputValue(), 'You are calm and brief.')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('button', { name: 'Save' }).waitFor({ state: 'detached' })
    const { personality: stored } = await UserAgentConfig.findByOrFail('userId', owner.id)
    assert.equal(stored, 'You are calm and brief.')
  })

  test('an admin changes a setting while another one is saved', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext, '/admin/settings')
    await page.getByLabel('Falls asleep after').fill('45')
    const saved = await holdAnswer(page, 'PATCH', /\/api\/v1\/admin\/settings$/)
    await page.getByRole('button', { name: 'Save' }).click()
    await saved.held
    await page.getByLabel('Port').fill('2525')
    await saved.release()
    await page.getByText('1 change', { exact: true }).waitFor()
    assert.equal(await page.getByLabel('Port').inputValue(), '2525')
    assert.equal(await page.getByLabel('Falls asleep after').inputValue(), '45')
  })

  test('a test of one service is nothing to another one', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext, '/settings/providers')
    await page.getByRole('button', { name: 'Add a provider' }).click()
    await page.getByTestId('type-demo').click()
    const tested = await holdAnswer(page, 'POST', /\/api\/v1\/providers\/test$/)
    await page.getByTestId('test-connection').click()
    await tested.held
    await page.getByTestId('type-openai').click()
    await tested.release()
    await page.getByTestId('test-connection').getByText('Test the connection').waitFor()
    assert.equal(await page.getByText('The connection works').count(), 0)
  })

  test('a provider is changed while the list of them is loaded anew', async ({
    assert,
    browserContext,
  }) => {
    await LlmProviderFactory.merge({
      userId: owner.id,
      name: 'mine',
      displayName: 'Mine',
      type: 'custom',
      baseUrl: 'http://127.0.0.1:9/v1',
    }).create()
    const page = await openPage(browserContext, '/settings/providers')
    await page.getByRole('button', { name: 'More about Demo model' }).click()
    const types = await holdAnswer(page, 'GET', /\/api\/v1\/provider-types$/)
    await page.getByRole('menuitem', { name: 'Stop using it' }).click()
    await types.held
    await page
      .getByRole('listitem')
      .filter({ hasText: 'Mine' })
      .getByRole('button', { name: 'Edit' })
      .click()
    const address = page.getByRole('dialog').getByLabel(/address/i)
    await address.waitFor()
    await types.release()
    await page.getByText('Not in use', { exact: true }).waitFor()
    assert.equal(await address.inputValue(), 'http://127.0.0.1:9/v1')
  })

  test('a question stays that is asked while an earlier act is on its way', async ({
    browserContext,
  }) => {
    await signIn(browserContext)
    for (const name of ['One', 'Two']) {
      await User.accessTokens.create(owner, ['chat'], { name })
    }
    const page = await browserContext.newPage()
    await page.goto(`${ORIGIN}/settings/tokens`)
    await page.getByRole('button', { name: 'Delete the token One' }).click()
    const deleted = await holdAnswer(page, 'DELETE', /\/api\/v1\/tokens\//)
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await deleted.held
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await dialog.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Delete the token Two' }).click()
    await deleted.release()
    const one = { name: 'Delete the token One', includeHidden: true }
    await page.getByRole('button', one).waitFor({ state: 'detached' })
    await page.getByRole('dialog', { name: 'Two' }).getByRole('button', { name: 'Delete' }).click()
    await page.getByText('You have no access tokens').waitFor()
  })

  test('an admin changes a setting, and finds it again', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext, '/admin/settings')
    const field = page.getByLabel('Falls asleep after')
    await field.fill('45')
    await field.press('Tab')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved', { exact: true }).first().waitFor()
    await page.reload()
    await field.waitFor()
    assert.equal(await field.inputValue(), '45')
  })

  test('a wrong value is told at its field, which no bar covers', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext)
    await page.setViewportSize({ width: 390, height: 640 })
    await page.goto(`${ORIGIN}/admin/security`)
    const field = page.getByLabel('Requests a minute')
    await field.fill('1')
    const save = page.getByRole('button', { name: 'Save' })
    await save.click()
    await page.getByText('Enter 10 or more.').waitFor()
    await field.and(page.locator(':focus')).waitFor()
    const [shown, bar] = [await field.boundingBox(), await save.boundingBox()]
    assert.isBelow(shown!.y + shown!.height, bar!.y)
  })

  for (const { address, button, label } of [
    { address: '/settings/providers', button: 'Add a provider', label: 'API key' },
    { address: '/settings/tokens', button: 'Create a token', label: 'Name' },
    { address: '/admin/users', button: 'Invite someone', label: 'Email address' },
    { address: '/admin/system-agents', button: 'Add a system agent', label: 'Name' },
  ]) {
    test(`what was typed under "${button}" is asked about before a stray key closes it`, async ({
      assert,
      browserContext,
    }) => {
      const page = await openPage(browserContext, `${address}`)
      const form = page.getByRole('dialog', { name: button })
      const question = page.getByRole('dialog', { name: 'Leave without saving?' })
      const field = form.getByLabel(label, { exact: true })
      const open = async () => {
        await page.getByRole('button', { name: button }).first().click()
        const service = form.getByTestId('type-openai')
        await field.or(service).first().waitFor()
        if (await service.isVisible()) await service.click()
      }
      await open()
      await page.keyboard.press('Escape')
      await form.waitFor({ state: 'detached' })

      await open()
      await field.fill('typed')
      await page.keyboard.press('Escape')
      await question.getByRole('button', { name: 'Cancel' }).click()
      await question.waitFor({ state: 'detached' })
      assert.equal(await field.inputValue(), 'typed')
      await page.keyboard.press('Escape')
      await question.getByRole('button', { name: 'Leave' }).click()
      await form.waitFor({ state: 'detached' })
    })
  }

  for (const label of ['Issuer address', 'Client secret', 'Name on the sign-in page']) {
    test(`"${label}" of an identity provider is asked about before the page is left`, async ({
      assert,
      browserContext,
    }) => {
      const page = await openPage(browserContext, '/admin/authentication')
      await page.getByLabel(label, { exact: true }).fill('https://id.example.org')
      await page.getByRole('link', { name: 'Security' }).click()
      const question = page.getByRole('dialog', { name: 'Leave without saving?' })
      await question.getByRole('button', { name: 'Cancel' }).click()
      await question.waitFor({ state: 'detached' })
      assert.equal(page.url(), `${ORIGIN}/admin/authentication`)
    })
  }

  test('changes that are not saved are asked about before the page is left', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext, '/settings/agent')
    const personality = page.locator('textarea')
    await personality.fill('You are brief.')
    await page.getByRole('link', { name: 'Sessions' }).click()
    const dialog = page.getByRole('dialog', { name: 'Leave without saving?' })
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await dialog.waitFor({ state: 'detached' })
    assert.equal(await personality.inputValue(), 'You are brief.')

    /** A visit to the same page would remount it. */
    await page.getByRole('link', { name: 'Agent', exact: true }).click()
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await dialog.waitFor({ state: 'detached' })
    assert.equal(await personality.inputValue(), 'You are brief.')

    await page.getByRole('link', { name: 'Sessions' }).click()
    await dialog.getByRole('button', { name: 'Leave' }).click()
    await page.waitForURL(`${ORIGIN}/settings/sessions`)
  })
})
