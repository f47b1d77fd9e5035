import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import app from '@adonisjs/core/services/app'
import type { Page } from 'playwright'

/** Run by the browser's debugger, which the pages' policy does not bind. */
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Violation {
  id: string
  impact: string | null
  nodes: { html: string }[]
}

/** Once the page has loaded what it shows. */
export async function settled(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor()
  await page.locator('[aria-busy="true"]').first().waitFor({ state: 'detached' })
}

/** The rules that judge colours; no other depends on light or dark. */
const COLOUR_RULES = ['color-contrast', 'link-in-text-block']

/** No rule that runs reads style sheets, which are large. */
const ONLY_VIOLATIONS = { resultTypes: ['violations'], preload: { assets: ['media'] } }

/** What shuts people out of the page as it is, in light and in dark: rule, impact and place. */
export async function barriers(page: Page): Promise<string[]> {
  const found = new Set<string>()
  if (!(await page.evaluate(`'axe' in globalThis`))) await page.evaluate(AXE)
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    const options = { ...ONLY_VIOLATIONS, ...(colorScheme === 'dark' && { runOnly: COLOUR_RULES }) }
    const violations = (await page.evaluate(
      `axe.run(${JSON.stringify(options)}).then(({ violations }) => violations)`
    )) as Violation[]
    for (const { id, impact, nodes } of violations) {
      if (impact !== 'serious' && impact !== 'critical') continue
      for (const { html } of nodes) found.add(`${id} (${impact}, ${colorScheme}): ${html}`)
    }
  }
  return [...found]
}

/**
 * What of a page is wider than its place, so that it is cut off or scrolls sideways. Tables and code have
 * boxes of their own to scroll in, and what ends in an ellipsis says so; a title must not.
 */
export function cutOff(page: Page): Promise<string[]> {
  return page.evaluate(`[...document.querySelectorAll('html, body *')]
    .filter((one) => {
      const { overflowX, textOverflow } = getComputedStyle(one)
      if (one.scrollWidth <= one.clientWidth || one.matches('table, pre, .sr-only')) return false
      if (one.matches('html, h1')) return true
      const isPlace = one.clientWidth > innerWidth / 2 && overflowX !== 'visible'
      return isPlace && textOverflow !== 'ellipsis'
    })
    .map((one) => \`\${one.localName} of \${one.clientWidth} px holds \${one.scrollWidth} px: \${one.innerText?.slice(0, 40) ?? ''}\`)
  `)
}

/**
 * Counts what scripts a page loads, as a browser gets them that has none yet: bytes. The browser's own
 * numbers leave out what it kept from the page before.
 */
export function countScripts(page: Page): () => Promise<number> {
  const paths = new Set<string>()
  page.on('request', (request) => {
    if (request.resourceType() === 'script') paths.add(new URL(request.url()).pathname)
  })
  return async () => {
    const sizes = await Promise.all([...paths].map(sizeOnTheWire))
    return sizes.reduce((sum, size) => sum + size, 0)
  }
}

/** The build leaves small scripts as they are. */
async function sizeOnTheWire(path: string): Promise<number> {
  const file = app.publicPath(path.slice(1))
  const { size } = await stat(`${file}.br`).catch(() => stat(file))
  return size
}

/**
 * Work of a page's main thread as a page does it, at a length of its own: elements are made, written to, laid out
 * and removed, and data is read.
 */
const REFERENCE_WORK = `{
  const rows = Array.from({ length: 500 }, (_, index) => ({ id: index, name: 'Row ' + index }))
  const list = document.createElement('ul')
  for (const { name } of JSON.parse(JSON.stringify(rows))) {
    const item = document.createElement('li')
    item.textContent = name
    list.append(item)
  }
  document.body.append(list)
  list.getBoundingClientRect()
  list.remove()
}`

/** How often it is done: the first time costs more, and one may meet a busy moment. */
const REFERENCES = 3

/** Milliseconds that the reference work takes on the machine for which budgets are stated. */
const REFERENCE_MS = 25

/**
 * Measures the processor time that a page's main thread takes from now on, in milliseconds of one and the same
 * machine: a slower one, or one whose caches others use as well, takes longer for the reference work, too.
 * Unlike the time of a paint it leaves out the time in which the machine does something else.
 */
export async function countThreadTime(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  const taken = async () => {
    const { metrics } = await session.send('Performance.getMetrics')
    return metrics.find(({ name }) => name === 'TaskDuration')!.value * 1000
  }
  const references: number[] = []
  for (let index = 0; index < REFERENCES; index++) {
    const start = await taken()
    await page.evaluate(REFERENCE_WORK)
    references.push((await taken()) - start)
  }
  const [, median] = references.toSorted((one, other) => one - other)
  const before = await taken()
  return async () => (((await taken()) - before) / median) * REFERENCE_MS
}
