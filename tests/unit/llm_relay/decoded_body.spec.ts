import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import {
  constants,
  createGzip,
  createZstdCompress,
  gzipSync,
  brotliCompressSync,
  deflateSync,
  zstdCompressSync,
} from 'node:zlib'
import { test } from '@japa/runner'
import { decodedBody } from '#llm_relay/decoded_body'

const TEXT = 'data: {"usage":{"prompt_tokens":12}}\n\n'

const ENCODED: { encoding: string; bytes: Buffer }[] = [
  { encoding: 'gzip', bytes: gzipSync(TEXT) },
  { encoding: 'GZIP', bytes: gzipSync(TEXT) },
  { encoding: 'x-gzip', bytes: gzipSync(TEXT) },
  { encoding: 'deflate', bytes: deflateSync(TEXT) },
  { encoding: 'br', bytes: brotliCompressSync(TEXT) },
  { encoding: 'zstd', bytes: zstdCompressSync(TEXT) },
  { encoding: 'gzip, br', bytes: brotliCompressSync(gzipSync(TEXT)) },
]

test.group('A compressed answer', () => {
  for (const { encoding, bytes } of ENCODED) {
    test(`in ${encoding} is read as what it is`, async ({ assert }) => {
      const { body, isDecoded } = decodedBody(Readable.from([bytes]), encoding)
      assert.isTrue(isDecoded)
      assert.equal((await buffer(body)).toString(), TEXT)
    })
  }

  test('passes piece by piece', async ({ assert }) => {
    const service = createGzip({ flush: constants.Z_SYNC_FLUSH })
    const { body } = decodedBody(service.pipe(new PassThrough()), 'gzip')
    service.write('one')
    const [first] = await once(body, 'data')
    assert.equal(String(first), 'one')
    service.end('two')
    const [second] = await once(body, 'data')
    assert.equal(String(second), 'two')
  })

  test('that is cut, or no such thing, fails', async ({ assert }) => {
    for (const bytes of [gzipSync(TEXT.repeat(100)).subarray(0, 40), Buffer.from(TEXT)]) {
      const { body } = decodedBody(Readable.from([bytes]), 'gzip')
      await assert.rejects(() => buffer(body))
    }
  })

  test('that asks for more memory than HTTP allows fails', async ({ assert }) => {
    const params = { [constants.ZSTD_c_windowLog]: 27 }
    const encoder = createZstdCompress({ params })
    encoder.end(TEXT)
    const { body } = decodedBody(Readable.from([await buffer(encoder)]), 'zstd')
    await assert.rejects(() => buffer(body))
  })

  test('in no or an unknown encoding stays as it came', async ({ assert }) => {
    for (const encoding of [undefined, '', 'identity', 'secret', 'gzip, secret', 'br, br, br']) {
      const { body, isDecoded } = decodedBody(Readable.from([TEXT]), encoding)
      assert.isFalse(isDecoded)
      assert.equal((await buffer(body)).toString(), TEXT)
    }
  })
})
