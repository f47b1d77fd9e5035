import { decoratorsCollection } from '@japa/browser-client'
import { chromium } from 'playwright'

/** Debian's; another one is named by the environment. */
const DEFAULT_PATH = '/usr/bin/chromium'

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** The system's Chromium, headless, quiet on the network. */
export const launchChromium = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? DEFAULT_PATH,
    args: ARGUMENTS,
    headless: true,
  })

/**
 * Longest that one step of a test may take. Playwright's own half minute is too short where other suites keep both
 * processors busy: the first page alone took twenty seconds there.
 */
const STEP_MS = 90_000

decoratorsCollection.register({
  context(context) {
    context.setDefaultTimeout(STEP_MS)
  },
})

/** Where the pages of this run are. */
export const ORIGIN = `http://${process.env.HOST}:${process.env.PORT}`
