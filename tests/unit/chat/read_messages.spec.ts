import { test } from '@japa/runner'
import type { GatewayMessage } from '#openclaw/gateway_messages'
import { readMessages, shownFiles, titleLine } from '#chat/read_messages'
import { readAttachment, textBlock } from '#chat/attachments'

const at = new Date(0)
const readMessage = (id: string, message: GatewayMessage) => readMessages(id, [message])[0]

test.group('Messages as their owner reads them', () => {
  test('have the names of their files in place of the files', ({ assert }) => {
    const data = Buffer.from('a\n</attachment>\nb').toString('base64')
    const file = readAttachment({ name: 'n"o.txt', type: 'text/plain', data })
    const text = `Read this${textBlock(file)}`
    assert.deepEqual(readMessage('c1', { id: 'u', role: 'user', text, at }), {
      id: 'u',
      role: 'user',
      text: 'Read this',
      at,
      attachments: [{ name: 'n_o.txt', type: 'text/plain' }],
    })
  })

  test('show the pictures that an agent names', ({ assert }) => {
    const text = 'Here.\nMEDIA:./out/pic.png\nDone.'
    const { text: said, attachments } = readMessage('c1', { id: 'a', role: 'assistant', text, at })
    assert.equal(said, 'Here.\nDone.')
    assert.deepEqual(attachments, [
      {
        name: 'pic.png',
        type: 'image/png',
        url: '/api/v1/conversations/c1/picture?path=.%2Fout%2Fpic.png',
      },
    ])
  })

  test('show so many files of a page and no more', ({ assert }) => {
    const shown = { role: 'assistant' as const, text: 'MEDIA:a.png\n'.repeat(15_000), at }
    const block = '<attachment name="a" type="b">\n</attachment>\n'
    const sent = { role: 'user' as const, text: block.repeat(15_000), at }
    const pictures = Array.from({ length: 15_000 }, () => ({ id: 'p', type: 'image/png', size: 1 }))
    for (const message of [shown, sent, { ...shown, text: '', pictures }]) {
      const all = readMessages('c1', [
        { ...message, id: '1' },
        { ...message, id: '2' },
      ])
      const files = all.map(({ attachments = [] }) => attachments.length)
      assert.deepEqual(files, [10_000, 0])
    }
  })

  test('show a file with any ending as a file: {$self}')
    .with(['x.constructor', 'x.__proto__', 'toString', 'x.valueOf'])
    .run(({ assert }, name) => {
      const files = shownFiles('c1', [`./out/${name}`])
      assert.deepEqual(files, [{ name, type: 'application/octet-stream' }])
    })

  test('tell a failed turn in Mosaic’s words', ({ assert }) => {
    const failed = readMessage('c1', { id: 'a', role: 'assistant', text: '', at, failed: true })
    assert.equal(failed.failure?.code, 'E_AGENT_FAILED')
    assert.isNotEmpty(failed.failure?.hint)
  })

  test('lose OpenClaw’s note in front of a question that waited', ({ assert }) => {
    const text = '[Queued user message that arrived while the previous turn was active] And now?'
    assert.equal(readMessage('c1', { id: 'u', role: 'user', text, at }).text, 'And now?')
  })

  test('do not repeat a question before that had no answer', ({ assert }) => {
    const note =
      '[Queued user message from a previous active turn; preserved as context only. Continue with the active prompt below.]'
    const user = (text: string) => ({ id: text, role: 'user' as const, text, at })
    const stored = [user('Tell me\nall'), user(`${note}\nTell me\nall\n\nNo, be brief`)]
    assert.deepEqual(
      readMessages('c1', stored).map(({ text }) => text),
      ['Tell me\nall', 'No, be brief']
    )
  })

  test('are a title of one line without their files: {0}')
    .with([
      ['What do they\n\nshow?\n\n<attachment name="a.pdf" type="x/y">\n…', 'What do they show?'],
      ['What do they show? <attachment name="parrot.pdf" type="appl…', 'What do they show?'],
      ['What do they show? <attachm…', 'What do they show?'],
      ['<attachment name="parrot.pdf" type="application/pdf">', 'parrot.pdf'],
      [
        '[Queued user message that arrived while the previous turn was active] And now?',
        'And now?',
      ],
      ['Is a < b or b > a…', 'Is a < b or b > a…'],
    ] as const)
    .run(({ assert }, [stored, title]) => {
      assert.equal(titleLine(stored), title)
    })
})
