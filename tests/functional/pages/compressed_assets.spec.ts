import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync, gzipSync } from 'node:zlib'
import { get, type IncomingHttpHeaders } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import { HttpContextFactory, RequestFactory } from '@adonisjs/core/factories/http'
import CompressedAssets from '#middleware/compressed_assets_middleware'

const SCRIPT = 'export const answer = 42\n'.repeat(100)
/** A name that no build produces; the file exists before the first request. */
const NAME = 'compressed-assets-spec.js'

/** Returns the response as sent, because `fetch` would decompress it. */
function raw(path: string, encoding: string) {
  const { promise, resolve, reject } = Promise.withResolvers<{
    status: number
    headers: IncomingHttpHeaders
    body: Buffer
  }>()
  const url = `http://${process.env.HOST}:${process.env.PORT}${path}`
  get(url, { headers: { 'accept-encoding': encoding } }, async (answer) => {
    const { statusCode: status = 0, headers } = answer
    resolve({ status, headers, body: await buffer(answer) })
  }).on('error', reject)
  return promise
}

test.group('Scripts that the build compressed', (group) => {
  group.setup(async () => {
    const folder = app.publicPath('assets')
    const files = ['', '.br', '.gz'].map((ending) => join(folder, NAME + ending))
    await mkdir(folder, { recursive: true })
    await writeFile(files[0], SCRIPT)
    await writeFile(files[1], brotliCompressSync(SCRIPT))
    await writeFile(files[2], gzipSync(SCRIPT))
    return async () => {
      for (const file of files) await rm(file)
    }
  })

  test('are sent so to browsers that take them, and to others as they are', async ({ assert }) => {
    const best = await raw(`/assets/${NAME}`, 'gzip, deflate, br')
    assert.equal(best.headers['content-encoding'], 'br')
    assert.match(best.headers['content-type']!, /^text\/javascript/)
    assert.match(best.headers['cache-control']!, /immutable/)
    assert.equal(String(brotliDecompressSync(best.body)), SCRIPT)

    const second = await raw(`/assets/${NAME}?v=1`, 'gzip')
    assert.equal(second.headers['content-encoding'], 'gzip')

    const plain = await raw(`/assets/${NAME}`, 'identity')
    assert.isUndefined(plain.headers['content-encoding'])
    assert.equal(String(plain.body), SCRIPT)
  })

  test('are kept by browsers, as those are that it left as they are: no page asks again', async ({
    assert,
  }) => {
    for (const encoding of ['br', 'gzip', 'identity']) {
      const { headers } = await raw(`/assets/${NAME}`, encoding)
      assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable', encoding)
    }
    const { headers } = await raw('/favicon.svg', 'br')
    assert.equal(headers['cache-control'], 'public, max-age=0')
  })

  test('are the only files that this opens: all else is handed on, untouched', async ({
    assert,
  }) => {
    for (const path of [
      '/assets/..%2f..%2fpackage.json',
      '/assets/../../.env',
      '/assets/../../package.js',
      '/assets/%2e%2e/secret.js',
      '/assets/none.js',
    ]) {
      const request = new RequestFactory().merge({ url: path }).create()
      request.request.headers['accept-encoding'] = 'br, gzip'
      const ctx = new HttpContextFactory().merge({ request }).create()
      let handedOn = false
      await new CompressedAssets().handle(ctx, async () => void (handedOn = true))
      assert.isTrue(handedOn, path)
      assert.isFalse(ctx.response.hasLazyBody, path)
      assert.isUndefined(ctx.response.getHeader('content-encoding'), path)
    }
  })
})
