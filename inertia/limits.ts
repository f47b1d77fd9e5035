/** Characters that one message may have: `MESSAGE_LENGTH` of the API, which refuses more. */
export const LONGEST_MESSAGE = 200_000
