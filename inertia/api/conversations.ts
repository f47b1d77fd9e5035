/** Where the API has one of one's own conversations. */
export const conversationPath = (id: string) => `/conversations/${encodeURIComponent(id)}`
