/** API path of one of the user's own conversations. */
export const conversationPath = (id: string) => `/conversations/${encodeURIComponent(id)}`
