import { knowledgeAtHome } from '#tests/e2e/knowledge_at_home'

knowledgeAtHome('What an agent knows, with the real OpenClaw', {
  env: {},
  settings: {},
  close: async () => {},
})
