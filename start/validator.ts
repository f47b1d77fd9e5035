/**
 * Messages for rejected values, where the framework's own only say that a value is wrong. Keyed by
 * rule, or by a field's name and rule.
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
 * JSON objects such as `{"toString": 1}` throw when converted to a string or number. Vine's number and
 * distinct rules convert them; these overrides treat such objects as invalid values instead.
 */
const { asNumber, isDistinct } = vine.helpers
const isObject = (value: unknown) => typeof value === 'object' && value !== null

vine.helpers.asNumber = (value) => (isObject(value) ? Number.NaN : asNumber(value))
vine.helpers.isDistinct = (items, fields) => {
  const names = [fields ?? []].flat()
  const comparable = items.filter((item) => !names.some((name) => isObject(item?.[name])))
  return isDistinct(comparable, fields)
}
