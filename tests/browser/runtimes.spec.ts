import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import settings from '#settings/services/main'
import { storedOptions } from '#settings/runtime_options'
import { ORIGIN } from '#tests/browser/chromium'
import {
  freshInstallation,
  openPage,
  readyInstallation,
  setUpByHand,
  setupToken,
} from '#tests/browser/installation'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'

/** One runtime that could be chosen here, and one that could not, and says why. */
async function addRuntimes() {
  const runtimes = await app.container.make('runtime.manager')
  const other = new MemoryDriver({ name: 'other' })
  const broken = new MemoryDriver({ name: 'broken' })
  broken.preflight = async () => [
    {
      severity: 'error',
      code: 'away',
      message: 'The engine of this runtime does not answer.',
      hint: 'Start it, then look again.',
    },
  ]
  Object.assign(other, { label: 'Another cloud', description: 'Agents run somewhere else.' })
  runtimes.extend('other', () => other, {
    options: [
      { name: 'region', label: 'Region', help: 'Where it runs.', type: 'text' },
      { name: 'token', label: 'Access token', type: 'secret' },
      { name: 'size', label: 'Size', type: 'number', default: 2, min: 1, max: 8 },
      {
        name: 'disk',
        label: 'Disk',
        type: 'choice',
        default: 'slow',
        choices: [
          { value: 'slow', label: 'Cheap' },
          { value: 'fast', label: 'Fast' },
        ],
      },
    ],
  })
  runtimes.extend('broken', () => broken)
}

test.group('Where agents run, in a browser', (group) => {
  group.setup(addRuntimes)

  test('the set-up shows what can be used here, and remembers the choice', async ({
    assert,
    browserContext,
    cleanup,
  }) => {
    cleanup(await freshInstallation())
    const page = await browserContext.newPage()
    await page.goto(`${ORIGIN}/onboarding?token=${await setupToken()}`)
    await setUpByHand(page)

    const broken = page.getByTestId('runtime-broken')
    await broken.getByText('Not usable here').waitFor()
    await broken.getByText('Start it, then look again.').waitFor()
    assert.isTrue(await broken.getByRole('radio').isDisabled())
    assert.isTrue(await page.getByTestId('runtime-memory').getByRole('radio').isChecked())

    const other = page.getByTestId('runtime-other')
    await other.getByText('Agents move at their next wake').waitFor()
    await other.getByRole('radio').check()
    await page.getByRole('button', { name: 'Finish and open the chat' }).click()
    await page.waitForURL(`${ORIGIN}/chat`)
    assert.equal(await settings.get('runtime.driver'), 'other')
  })

  test('an admin sees what is wrong with each, how to mend it, and where to read on', async ({
    browserContext,
    cleanup,
  }) => {
    const { restore } = await readyInstallation()
    cleanup(restore)
    const page = await openPage(browserContext, '/admin/runtime')
    await page.getByTestId('runtime-memory').getByText('In use').waitFor()
    await page.getByTestId('runtime-broken').getByText('Start it, then look again.').waitFor()
    await page.getByTestId('runtime-process').waitFor()
    await page.getByText('node ace settings:set docker.host <value>').waitFor()
    await page.getByText('node ace settings:set runtime.image <value>').waitFor()
  })

  test('an admin fills in the form that a plugin describes', async ({
    assert,
    browserContext,
    cleanup,
  }) => {
    const { restore } = await readyInstallation()
    cleanup(restore)
    const page = await openPage(browserContext, '/admin/runtime')
    const form = page.getByRole('region', { name: 'Options for Another cloud' })
    await form.getByText('Where it runs.').waitFor()
    await form.getByLabel('Region').fill('north')
    await form.getByLabel('Access token').fill('a-token-of-the-cloud')
    await form.getByLabel('Size').fill('9')
    await page.getByRole('button', { name: 'Save' }).click()
    await form.getByText(/8/).waitFor()
    await form.getByLabel('Size').fill('4')
    await form.getByLabel('Disk').click()
    await page.getByRole('option', { name: 'Fast' }).click()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved', { exact: true }).waitFor()

    const stored = await storedOptions(settings, 'other')
    assert.deepEqual(stored, {
      region: 'north',
      token: 'a-token-of-the-cloud',
      size: 4,
      disk: 'fast',
    })
    assert.notInclude(await page.content(), 'a-token-of-the-cloud')
  })
})
