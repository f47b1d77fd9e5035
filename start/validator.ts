/**
 * What a refused value is told, where the framework's own words say that it is wrong and not what is right.
 * By rule, or by a field's name and rule.
 */
import vine, { SimpleMessagesProvider } from '@vinejs/vine'

const NAME =
  'A name has small letters, digits and hyphens, begins with a letter or a digit, and has 63 of them at most.'

vine.messagesProvider = new SimpleMessagesProvider({
  'enum': 'Choose one of these: {{ choices }}.',
  'username.regex':
    'A username has small letters, digits, dots, hyphens, underscores and "@", and begins with a letter or a digit.',
  'name.regex': NAME,
  'agents.*.name.regex': NAME,
  'models.*.id.regex': 'A model id has no spaces.',
  'message.maxLength': 'A message has {{ max }} characters at most. Send it in parts.',
  'apiKey.regex': 'A key has no spaces and only plain characters.',
})

/**
 * JSON may hold objects that are no text and no number, and throw where they are taken for one: `{"toString": 1}`.
 * Vine's rules for numbers and for lists without doubles do; to them, such an object is a wrong value.
 */
const { asNumber, isDistinct } = vine.helpers
const isObject = (value: unknown) => typeof value === 'object' && value !== null

vine.helpers.asNumber = (value) => (isObject(value) ? Number.NaN : asNumber(value))
vine.helpers.isDistinct = (items, fields) => {
  const names = [fields ?? []].flat()
  const comparable = items.filter((item) => !names.some((name) => isObject(item?.[name])))
  return isDistinct(comparable, fields)
}
