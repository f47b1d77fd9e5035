/**
 * Whether a search finds the answers to questions: by words alone, and by words and meaning with an embedding double
 * on loopback that knows no language.
 */
import 'reflect-metadata'
import { EmbeddingService } from '#tests/doubles/embedding_service'
import { answerQuestions } from '../answering.js'
import { consoleApp } from '../console_app.js'
import type { Recall } from '../groups/search.js'
import questions from '../questions.json' with { type: 'json' }

/** An answer counts if it is among so many. */
const TOP = 5

const app = await consoleApp()
const { default: User } = await import('#models/user')
const { default: LlmProvider } = await import('#models/llm_provider')
const findings = await app.container.make('knowledge.findings')
const user = await User.create({ email: 'owner@example.test', name: 'Owner', role: 'member' })

/** Findings by their question. */
const answers = new Map<string, string>()

async function store(): Promise<void> {
  for (const { question, answer: body } of questions) {
    const input = { title: '–', body }
    const { id } = await findings.create(user.id, 'person', input, { force: true })
    answers.set(question, id)
  }
}

async function useModel(service: EmbeddingService): Promise<void> {
  const settings = await app.container.make('settings')
  await settings.set('network.allowedRanges', ['127.0.0.0/8'])
  await LlmProvider.create({
    userId: user.id,
    name: 'loopback',
    displayName: 'Loopback',
    type: 'custom',
    apiType: 'openai-completions',
    baseUrl: service.url,
    models: [],
    isActive: true,
  })
  const preferences = await app.container.make('settings.agent_preferences')
  await preferences.put({ user, address: null }, { embeddingModel: 'loopback/pieces' })
  const vectors = await app.container.make('knowledge.vectors')
  await vectors.catchUp(user.id)
  await vectors.settled()
}

/** Returns the share of questions whose answer is found. */
async function share(): Promise<number> {
  let found = 0
  for (const [question, id] of answers) {
    const matches = await findings.search(user.id, question, TOP)
    if (matches.some((match) => match.id === id)) found++
  }
  return found / answers.size
}

async function recall(): Promise<Recall> {
  await store()
  const words = await share()
  const service = await EmbeddingService.start()
  try {
    await useModel(service)
    return { words, hybrid: await share(), questions: answers.size }
  } finally {
    await service.close()
  }
}

answerQuestions({ recall }, {})
