import { createHash, createPublicKey, verify } from 'node:crypto'
import { test } from '@japa/runner'
import { deviceOf } from '#openclaw/gateway_device'

test.group('The device that Mosaic is to a gateway', () => {
  test('is the same one for a token, in every replica of Mosaic', ({ assert }) => {
    const [one, again, other] = ['a', 'a', 'b'].map(deviceOf)
    assert.equal(one.id, again.id)
    assert.equal(one.publicKey, again.publicKey)
    assert.notEqual(one.id, other.id)
  })

  test('is named by its key, and signs with it', ({ assert }) => {
    const { id, publicKey, sign } = deviceOf('a')
    const raw = Buffer.from(publicKey, 'base64url')
    assert.equal(id, createHash('sha256').update(raw).digest('hex'))
    const key = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: publicKey },
      format: 'jwk',
    })
    assert.isTrue(verify(null, Buffer.from('hello'), key, Buffer.from(sign('hello'), 'base64url')))
    assert.isFalse(verify(null, Buffer.from('hullo'), key, Buffer.from(sign('hello'), 'base64url')))
  })
})
