/** Characters that one message may have: `MESSAGE_LENGTH` of the API, which refuses more. */
export const LONGEST_MESSAGE = 200_000

/** Characters of a conversation's title. */
export const LONGEST_TITLE = 100

/** Files of one message, and the bytes that they have together: the API refuses more. */
export const MOST_ATTACHMENTS = 10
export const LARGEST_ATTACHMENTS = 10 * 1024 * 1024
