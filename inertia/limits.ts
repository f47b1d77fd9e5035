/** Characters that one message may have: `MESSAGE_LENGTH` of the API, which refuses more. */
export const LONGEST_MESSAGE = 200_000

/** Characters of a conversation's title. */
export const LONGEST_TITLE = 100
