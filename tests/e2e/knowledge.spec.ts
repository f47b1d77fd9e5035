import { knowledgeAtHome } from '#tests/e2e/knowledge_at_home'

const home = { env: {}, settings: {}, close: async () => {} }

knowledgeAtHome('What an agent knows, with the real OpenClaw', home)
