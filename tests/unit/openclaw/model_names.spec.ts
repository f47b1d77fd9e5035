import { test } from '@japa/runner'
import { fitsInHeader, unusableModelName } from '#openclaw/model_names'

test.group('The name of a model', () => {
  test('arrives as it is', ({ assert }) => {
    for (const id of [
      'gpt-5.5',
      'vendor/large:latest',
      '@cf/meta/llama-3',
      'claude-opus@20250101',
      'qwen2.5-7b-instruct@q4_k_m',
      'qwen@IQ3_XXS',
      'llama@8bit',
      'llama@20250101@q8_0',
      'llama@',
      'a@b/llama',
      'modèle',
      '模型',
      '$HOME',
    ]) {
      assert.isNull(unusableModelName(id), id)
    }
  })

  test('is refused where OpenClaw would ask for another', ({ assert }) => {
    for (const id of [
      'x@f16',
      'vendor/x@f16',
      'x@q4_k_m@f16',
      'x@20250101@f16',
      '@x',
      'x@q8@20250101',
    ]) {
      assert.match(unusableModelName(id)!, /takes "@\S+" for the name of a login/, id)
    }
    assert.match(unusableModelName('${HOME}')!, /replaces/)
    for (const id of ['a b', 'a\u0000', 'a\u200b', 'a\u007f']) {
      assert.match(unusableModelName(id)!, /no white space/)
    }
  })

  test('fits into a header, or does not', ({ assert }) => {
    for (const id of ['gpt-5.5', 'vendor/large:latest', 'modèle'])
      assert.isTrue(fitsInHeader(id), id)
    for (const id of ['模型', 'ő', '🦙', 'a\nb', 'a b']) assert.isFalse(fitsInHeader(id), id)
  })
})
