import { test } from '@japa/runner'
import type { Page } from 'playwright'
import { ORIGIN } from '#tests/browser/chromium'
import { CutNetwork } from '#tests/browser/cut_network'
import { holdAnswersAfter, holdWakes, openPage, readyWithModel } from '#tests/browser/installation'
import { barriers, cutOff } from '#tests/browser/page_measures'
import { watchPage } from '#tests/browser/page_watch'
import { NARROWEST, SIZES } from '#tests/browser/pages'
import { speechRecogniser } from '#tests/browser/speech_recogniser'
import { answers, say, stream } from '#tests/browser/told_chat'
import { PNG } from '#tests/doubles/png'

test.group('Answers in a browser', (group) => {
  group.each.setup(readyWithModel)

  /** Has every message answered by these events. */
  async function openChat(page: Page, ...events: [string, object][]) {
    if (events.length > 0) {
      await page.route(/\/api\/v1\/chat$/, (route) => stream(route, ...events))
    }
    await page.goto(`${ORIGIN}/chat`)
  }

  test('fold what the agent thought and did, with the time of each step', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext)
    const step = { id: 't1', name: 'exec', title: 'list files', failed: false }
    await openChat(
      page,
      ['reasoning', { text: 'A shell ' }],
      ['reasoning', { text: 'does that.' }],
      ['tool', { ...step, phase: 'start', elapsedMs: 0 }],
      ['tool', { ...step, phase: 'end', elapsedMs: 1520, output: 'notes.txt' }],
      ['delta', { text: 'One file.' }],
      [
        'done',
        {
          conversationId: 'c1',
          usage: { inputTokens: 12, outputTokens: 3, totalTokens: 15 },
          model: 'work/parrot-2',
          standIn: true,
        },
      ]
    )
    await say(page, 'Which files?')
    const answer = answers(page, 'done')
    await answer.getByText('One file.').waitFor()
    assert.isFalse(await answer.getByText('A shell does that.').isVisible())
    await answer.getByTestId('reasoning').locator('summary').press('Enter')
    await answer.getByText('A shell does that.').waitFor()

    const tool = answer.getByTestId('tool')
    assert.include(await tool.innerText(), '1.5 s')
    await tool.locator('summary').click()
    await tool.getByText('notes.txt').waitFor()
    await answer.getByTestId('stand-in').getByText('work/parrot-2').waitFor()
    await answer.hover()
    await answer.getByText('12 tokens in, 3 out').waitFor()
  })

  test('have what the agent asks answered in their place', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext)
    const decided: unknown[] = []
    await page.route(/\/approvals\/a1$/, (route) => {
      decided.push(route.request().postDataJSON())
      return route.fulfill({ status: 204 })
    })
    await openChat(
      page,
      [
        'approval',
        {
          id: 'a1',
          title: 'rm -r build',
          detail: null,
          isWhole: true,
          decisions: ['allow-once', 'deny'],
          state: 'pending',
        },
      ],
      ['delta', { text: 'Waiting.' }],
      ['done', { conversationId: 'c1' }]
    )
    await say(page, 'Clean up')
    const approval = page.getByTestId('approval')
    await approval.getByText('rm -r build').waitFor()
    await approval.getByRole('button', { name: 'Allow once' }).click()
    await approval.getByText('You allowed it.').waitFor()
    assert.deepEqual(decided, [{ decision: 'allow-once' }])
  })

  test('colour code, draw formulas, and let each script run its own way', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext)
    const watch = watchPage(page)
    const text = [
      'Energy is \\(E = mc^2\\), and',
      '$$\\begin{aligned} a &= b \\\\ c &= d \\end{aligned}$$',
      '',
      '```ts',
      'const answer: number = 42',
      '```',
      '',
      'שלום עולם',
      '',
      '- [x] done',
      '- [ ] open',
      '',
      '| a | b |',
      '| - | - |',
      '| 1 | 2 |',
    ].join('\n')
    await openChat(page, ['delta', { text }], ['done', { conversationId: 'c1' }])
    await say(page, 'Show me')
    const answer = answers(page, 'done')
    await answer.locator('math').nth(1).waitFor()
    const annotations = await answer.locator('annotation').allTextContents()
    assert.deepEqual(annotations[0], 'E = mc^2')
    assert.include(annotations[1], '\\\\')
    await answer.locator('.hljs-keyword', { hasText: 'const' }).waitFor()
    const hebrew = answer.getByText('שלום')
    assert.equal(
      await hebrew.evaluate(
        (element: any) => element.ownerDocument.defaultView.getComputedStyle(element).direction
      ),
      'rtl'
    )
    assert.include(await answer.innerText(), '☑ done')
    assert.equal(await answer.locator('table td').first().innerText(), '1')
    assert.deepEqual(watch, { errors: [], strangers: [] })
  })

  test('keep the page at work however long they are', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext)
    await streamParagraphs(page)
    await openChat(page)
    const begun = answers(page, 'streaming').waitFor()
    await say(page, 'Write a book')
    await begun
    await answers(page, 'done').waitFor()
    await answers(page, 'done').locator('.prose-block', { hasText: 'Part 1999' }).waitFor()
    const blocks = await answers(page, 'done').locator('.prose-block').count()
    assert.isAbove(blocks, 1900)
    assert.include(await answers(page, 'done').textContent(), 'Part 1999')
  })

  test('come back after a reload in their middle', async ({ assert, browserContext }) => {
    const goOn = await holdAnswersAfter(20)
    const page = await openPage(browserContext)
    await openChat(page)
    await say(page, Array.from({ length: 120 }, (_, index) => `word${index}`).join(' '))
    await answers(page, 'streaming').getByText('word5 ').waitFor()
    page.once('dialog', (dialog) => void dialog.accept())
    await page.reload()
    await answers(page, 'streaming').getByText('word8 ').waitFor()
    goOn()
    await answers(page, 'done').getByText('word119').waitFor()
    assert.equal(await page.getByTestId('message-user').count(), 1)
    assert.equal(await page.getByTestId('message-agent').count(), 1)
  })

  test('are heard in another tab of the conversation', async ({ assert, browserContext }) => {
    const goOn = await holdAnswersAfter(20)
    const page = await openPage(browserContext)
    await openChat(page)
    await say(page, 'First')
    await answers(page, 'done').waitFor()
    const other = await browserContext.newPage()
    await other.goto(page.url())
    await answers(other, 'done').getByText('Turn 1: First').waitFor()
    await say(page, Array.from({ length: 60 }, (_, index) => `word${index}`).join(' '))
    await answers(other, 'streaming').getByText('word9 ').waitFor()
    goOn()
    await answers(other, 'done').getByText('word59').waitFor()
    assert.equal(await other.getByTestId('message-user').count(), 2)
  })

  test('have files sent along that are picked, dropped or pasted', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext)
    const sent: any[] = []
    await page.route(/\/api\/v1\/chat$/, (route) => {
      sent.push(route.request().postDataJSON())
      return stream(route, ['delta', { text: 'Seen.' }], ['done', { conversationId: 'c1' }])
    })
    await page.goto(`${ORIGIN}/chat`)
    await page
      .getByTestId('file-picker')
      .setInputFiles({ name: 'dot.png', mimeType: 'image/png', buffer: PNG })
    const drop = (type: 'drop' | 'paste', name: string) =>
      page.locator('#message').evaluate(
        (box: any, [kind, fileName]) => {
          const view = box.ownerDocument.defaultView
          const data = new view.DataTransfer()
          data.items.add(new view.File(['# Hi'], fileName, { type: 'text/markdown' }))
          const given = { bubbles: true, cancelable: true }
          const event =
            kind === 'drop'
              ? new view.DragEvent('drop', { ...given, dataTransfer: data })
              : new view.ClipboardEvent('paste', { ...given, clipboardData: data })
          box.dispatchEvent(event)
        },
        [type, name]
      )
    await drop('drop', 'dropped.md')
    await drop('paste', 'pasted.md')
    assert.equal(await page.getByTestId('picked-file').count(), 3)
    await page.getByRole('button', { name: 'Remove pasted.md' }).click()
    await page.getByTestId('send').click()
    await answers(page, 'done').getByText('Seen.').waitFor()
    assert.deepEqual(
      sent[0].attachments.map(({ name, type }: any) => [name, type]),
      [
        ['dot.png', 'image/png'],
        ['dropped.md', 'text/markdown'],
      ]
    )
    const question = page.getByTestId('message-user')
    await question.getByRole('img', { name: 'Picture dot.png' }).waitFor()
    await question.getByText('dropped.md').waitFor()
    assert.equal(await page.getByTestId('picked-file').count(), 0)
  })

  test('keep what is being written, and what waits can be edited', async ({
    assert,
    browserContext,
  }) => {
    const wake = await holdWakes()
    const page = await openPage(browserContext)
    await openChat(page)
    await page.locator('#message').fill('Half a thou')
    await page.reload()
    assert.equal(await page.locator('#message').inputValue(), 'Half a thou')
    await say(page, 'First')
    await say(page, 'Secnod')
    await page.getByTestId('message-user').nth(1).getByRole('button', { name: 'Edit' }).click()
    assert.equal(await page.locator('#message').inputValue(), 'Secnod')
    await say(page, 'Second')
    wake()
    await answers(page, 'done').getByText('Turn 2: Second').waitFor()
    assert.equal(await page.getByTestId('message-user').count(), 2)
  })

  test('leave the reader where they scrolled to, and lead back to the end', async ({
    assert,
    browserContext,
  }) => {
    await holdAnswersAfter(1000)
    const page = await openPage(browserContext)
    await openChat(page)
    await say(page, Array.from({ length: 1500 }, (_, index) => `word${index}`).join(' '))
    const viewport = page.getByTestId('messages')
    const top = () => viewport.evaluate((box: any) => box.scrollTop)
    const beyond = () =>
      viewport.evaluate((box: any) => box.scrollHeight - box.scrollTop - box.clientHeight)
    await answers(page, 'streaming').getByText('word20 ').waitFor()
    await viewport.hover()
    await page.mouse.wheel(0, -20_000)
    const toEnd = page.getByRole('button', { name: 'Jump to the latest' })
    await toEnd.waitFor()
    /** The browser scrolls smoothly, so the button appears before the scroll ends. */
    const box = await viewport.elementHandle()
    await page.waitForFunction(({ scrollTop }: any) => scrollTop === 0, box)
    await answers(page, 'streaming').getByText('word120 ').waitFor()
    assert.equal(await top(), 0)
    await toEnd.click()
    await toEnd.waitFor({ state: 'detached' })
    assert.isBelow(await beyond(), 80)
  })

  test('resume after the network was gone', async ({ assert, browserContext, cleanup }) => {
    const goOn = await holdAnswersAfter(20)
    const network = await new CutNetwork(Number(process.env.PORT)).start()
    cleanup(() => network.stop())
    const page = await openPage(browserContext)
    await page.goto(`${network.url}/chat`)
    await say(page, Array.from({ length: 120 }, (_, index) => `word${index}`).join(' '))
    await answers(page, 'streaming').getByText('word5 ').waitFor()
    network.cut()
    await page.getByTestId('reconnecting').waitFor()
    network.mend()
    await page.getByTestId('reconnecting').waitFor({ state: 'detached' })
    goOn()
    const answer = answers(page, 'done')
    await answer.getByText('word119').waitFor()
    assert.equal((await answer.innerText()).split('word5 ').length, 2)
  })

  test('begin with what the browser heard', async ({ assert, browserContext }) => {
    const page = await openPage(browserContext)
    await page.addInitScript(speechRecogniser)
    await openChat(page)
    await page.locator('#message').fill('Dear Ana,')
    const dictate = page.getByTestId('dictate')
    await dictate.click()
    assert.equal(await dictate.getAttribute('aria-pressed'), 'true')
    await page.evaluate('hear("see you")')
    await page.evaluate('hear("see you", "on Monday")')
    const box = page.locator('#message')
    assert.equal(await box.inputValue(), 'Dear Ana, see you on Monday')
    await box.press('Enter')
    await answers(page, 'done').getByText('see you on Monday').waitFor()
    await page.evaluate('hear("too late")')
    assert.equal(await box.inputValue(), '')
    assert.equal(await dictate.getAttribute('aria-pressed'), 'false')
  })

  test('are asked, stopped and asked again by keyboard alone', async ({
    assert,
    browserContext,
  }) => {
    await holdAnswersAfter(20)
    const page = await openPage(browserContext)
    await openChat(page)
    await page.locator('#message:focus').waitFor()
    await page.keyboard.type(Array.from({ length: 60 }, (_, index) => `w${index}`).join(' '))
    await page.keyboard.press('Enter')
    await answers(page, 'streaming').getByText('w5 ').waitFor()
    await tabTo(page, 'stop')
    await page.keyboard.press('Enter')
    await answers(page, 'stopped').waitFor()
    await page.locator('#message').focus()
    await page.keyboard.type('Short')
    await page.keyboard.press('Enter')
    await answers(page, 'done').getByText('Short').waitFor()
    const edit = page.getByTestId('message-user').last().getByRole('button', { name: 'Edit' })
    await edit.focus()
    await page.keyboard.press('Enter')
    await page.locator('#message:focus').waitFor()
    await page.keyboard.press('End')
    await page.keyboard.type('er')
    await page.keyboard.press('Enter')
    await answers(page, 'done').getByText('Shorter').waitFor()
    assert.equal(await page.locator('#message').inputValue(), '')
  })

  test('have no barriers and fit a window of 320 px, whatever they hold', async ({
    assert,
    browserContext,
  }) => {
    const page = await openPage(browserContext)
    const step = { id: 't1', name: 'exec', title: 'find / -name parrot '.repeat(8), failed: false }
    const decisions = ['allow-once', 'allow-always', 'deny']
    const longWord = 'https://example.org/'.padEnd(300, 'x')
    const table = `| ${'column | '.repeat(9)}\n|${' - |'.repeat(9)}\n| ${'cell | '.repeat(9)}`
    await openChat(
      page,
      ['reasoning', { text: `A shell does that. ${longWord}` }],
      ['tool', { ...step, phase: 'end', elapsedMs: 1520, output: longWord.repeat(3) }],
      [
        'approval',
        { id: 'a1', title: longWord, detail: longWord, isWhole: true, decisions, state: 'pending' },
      ],
      ['files', { files: [{ name: `${longWord}.txt`, type: 'text/plain' }] }],
      ['delta', { text: `${longWord}\n\n\`\`\`ts\nconst x = '${longWord}'\n\`\`\`\n\n${table}` }],
      ['done', { conversationId: 'c1', model: `work/${longWord}`, standIn: true }]
    )
    await say(page, `Look at ${longWord}`)
    const answer = answers(page, 'done')
    await answer.getByTestId('stand-in').waitFor()
    for (const fold of await answer.locator('summary').all()) await fold.click()
    assert.deepEqual(await barriers(page), [])
    for (const size of [SIZES.narrow, NARROWEST]) {
      await page.setViewportSize(size)
      assert.deepEqual(await cutOff(page), [])
      assert.deepEqual(await barriers(page), [])
    }
  })
})

/** Presses Tab until this has the focus. */
async function tabTo(page: Page, testId: string) {
  const target = page.locator(`[data-testid=${testId}]:focus`)
  for (let presses = 0; presses < 20 && (await target.count()) === 0; presses++) {
    await page.keyboard.press('Tab')
  }
}

/** Has a message answered by 170 kB in 2,000 paragraphs, five at a time. */
const streamParagraphs = (page: Page) =>
  page.addInitScript(() => {
    const call = globalThis.fetch
    const paragraph =
      'has **bold** words, `code`, and a [link](https://example.org), as people write.'
    globalThis.fetch = async (input, init) => {
      if (!String(input).endsWith('/api/v1/chat')) return call(input, init)
      let part = 0
      const encoder = new TextEncoder()
      const event = (name: string, data: object) =>
        encoder.encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
      const body = new ReadableStream({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve))
          if (part < 2000) {
            const five = Array.from({ length: 5 }, () => `Part ${part++} ${paragraph}\n\n`)
            return controller.enqueue(event('delta', { text: five.join('') }))
          }
          controller.enqueue(event('done', { conversationId: 'c1' }))
          controller.close()
        },
      })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    }
  })
