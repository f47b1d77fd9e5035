import vine from '@vinejs/vine'

/**
 * Vine rule: a text without broken halves of characters. Goes ahead of rules that measure a text in
 * bytes, which fail on one.
 */
export const wellFormedRule = vine.createRule((value, _options, field) => {
  if (typeof value === 'string' && !value.isWellFormed()) {
    field.report('The {{ field }} holds a broken character.', 'wellFormed', field)
  }
})
