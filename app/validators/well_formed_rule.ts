import vine from '@vinejs/vine'

/** Vine rule: a string without lone surrogates. Must precede rules that measure bytes, which fail on one. */
export const wellFormedRule = vine.createRule((value, _options, field) => {
  if (typeof value === 'string' && !value.isWellFormed()) {
    field.report('The {{ field }} holds a broken character.', 'wellFormed', field)
  }
})
