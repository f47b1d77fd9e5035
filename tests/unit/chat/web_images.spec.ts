import { test } from '@japa/runner'
import { agentContent } from '#chat/agent_content'
import { E_CHAT_CONTENT, E_CHAT_IMAGE } from '#chat/errors'
import { webImages } from '#chat/web_image'

const image = (url: string) => ({ type: 'image_url', image_url: { url } })

/** Answers with an image of a megabyte a piece, without an end. */
function endless() {
  const told = { pieces: 0, isOver: false }
  const fetch = async () =>
    new Response(
      new ReadableStream({
        pull(controller) {
          told.pieces++
          controller.enqueue(new Uint8Array(1024 * 1024))
        },
        cancel: () => void (told.isOver = true),
      }),
      { headers: { 'content-type': 'image/png' } }
    )
  return { fetch, told }
}

test.group('Images from the web', () => {
  test('are so many at once, and none of more is fetched', async ({ assert }) => {
    let fetched = 0
    const fetch = async () => (fetched++, 'data:,')
    const send = (count: number) => {
      const content = Array.from({ length: count }, (_, at) => image(`https://x.test/${at}`))
      return agentContent([{ role: 'user', content }], fetch, () => {})
    }
    await assert.rejects(() => send(9), E_CHAT_CONTENT)
    assert.equal(fetched, 0)
    await send(8)
    assert.equal(fetched, 8)
  })

  test('are counted piece by piece, and end where their sender has no room', async ({ assert }) => {
    const { fetch, told } = endless()
    const full = new Error('full')
    let room = 3 * 1024 * 1024
    const take = (bytes: number) => {
      if ((room -= bytes) < 0) throw full
    }
    const error = await webImages(fetch)('https://x.test/a', take).catch((failure) => failure)
    assert.equal(error, full)
    assert.isAtMost(told.pieces, 6)
    assert.isTrue(told.isOver)
  })

  test('end at their own limit', async ({ assert }) => {
    const { fetch, told } = endless()
    await assert.rejects(() => webImages(fetch)('https://x.test/a', () => {}), E_CHAT_IMAGE)
    assert.isAtMost(told.pieces, 13)
  })
})
