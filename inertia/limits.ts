/** Maximum characters of a message: `MESSAGE_LENGTH` of the API. */
export const LONGEST_MESSAGE = 200_000

/** Maximum characters of a conversation's title. */
export const LONGEST_TITLE = 100

/** Maximum number of files per message and their total bytes, as enforced by the API. */
export const MOST_ATTACHMENTS = 10
export const LARGEST_ATTACHMENTS = 10 * 1024 * 1024

/** A longer text file is cut in the message. */
export const LONGEST_TEXT = 200_000
