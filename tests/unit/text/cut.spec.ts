import { test } from '@japa/runner'
import { cut, firstCharacter, shortened } from '#text/cut'

const FAMILY = '👩‍👩‍👧‍👦'
const FLAG = '🇨🇭'
const ACCENTED = 'e\u0301\u0323'

test.group('A text that is cut', () => {
  test('never ends in a part of a character: {name}')
    .with([
      { name: 'emoji', character: '😀' },
      { name: 'a family', character: FAMILY },
      { name: 'a flag', character: FLAG },
      { name: 'a letter with accents', character: ACCENTED },
    ])
    .run(({ assert }, { character }) => {
      const text = `ab${character.repeat(20)}`
      for (let length = 0; length <= text.length; length++) {
        const kept = cut(text, length)
        assert.isAtMost(kept.length, length)
        assert.isAbove(kept.length, Math.min(length, text.length) - character.length - 1)
        assert.isTrue(text.startsWith(kept))
        assert.equal(kept.slice(2).length % character.length, 0, `${length}`)
      }
    })

  test('is itself where it is short enough', ({ assert }) => {
    assert.equal(cut('short', 5), 'short')
    assert.equal(shortened('short', 5), 'short')
    assert.equal(shortened('longer text', 8), 'longer…')
  })

  test('keeps its beginning where one character never ends', ({ assert }) => {
    const endless = `a${'\u0301'.repeat(1_000_000)}`
    assert.lengthOf(cut(endless, 500), 500)
    assert.equal(cut('😀'.repeat(3).slice(0, 5), 3), '😀')
  })

  test('begins with a whole character', ({ assert }) => {
    assert.equal(firstCharacter(`${FLAG} Heidi`), FLAG)
    assert.equal(firstCharacter('😀'), '😀')
    assert.equal(firstCharacter(''), '')
  })
})
