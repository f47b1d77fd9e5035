/** Characters as people see them: a family of emoji, or a letter with its accents, is one. */
const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** What one such character may take, in UTF-16 units. Longer ones are nobody's: they are cut as well. */
const LONGEST_GRAPHEME = 64

/**
 * The beginning of a text: at most `length` UTF-16 units, and never a part of a character. Looks at no
 * more of the text than that.
 */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text
  const near = text.slice(0, length + LONGEST_GRAPHEME)
  const begin = GRAPHEMES.segment(near).containing(length)!.index
  if (length - begin < LONGEST_GRAPHEME) return near.slice(0, begin)
  return near.slice(0, length).replace(/[\ud800-\udbff]$/, '')
}

/** The same with an ellipsis for what is left out, which counts. */
export function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${cut(text, length - 1).trimEnd()}…`
}

/** The first character as people see it; nothing of an empty text. */
export function firstCharacter(text: string): string {
  const [first] = GRAPHEMES.segment(text.slice(0, LONGEST_GRAPHEME))
  return first?.segment ?? ''
}
