import { test } from '@japa/runner'
import { documentHash } from '#openclaw/document_hash'
import type { AgentDocument } from '#openclaw/documents'
import { E_GATEWAY_FAILED } from '#openclaw/errors'
import { PERSONALITY_FILE } from '#openclaw/launch_files'
import { LiveSettings } from '#openclaw/live_settings'

const gateway = { url: 'http://127.0.0.1:9', token: 'token' }

/** A document with that model, and that personality beside it. */
function agentWith(model: string, personality: string): AgentDocument {
  const document = { agents: { defaults: { model: { primary: model } } } } as never
  const files = [{ path: PERSONALITY_FILE, content: personality }]
  return { document, files, hash: documentHash(document, files) }
}

test.group('New settings for a gateway that runs', () => {
  const former = agentWith('work/a', 'Be brief.')

  function settingsFor(wanted: AgentDocument, failing = false) {
    const done: string[] = []
    const control = {
      document: async () => ({ parsed: { ...former.document } as never, hash: 'base' }),
      patchDocument: async (_gateway: object, { patch }: { patch: object }, base?: string) => {
        done.push(`patch ${JSON.stringify(patch)} on ${base}`)
      },
    }
    const setFile = async (_gateway: object, name: string, content: string) => {
      if (failing) throw new E_GATEWAY_FAILED()
      done.push(`${name}: ${content}`)
    }
    const live = new LiveSettings({ forAgent: async () => wanted }, control, setFile)
    return { done, apply: () => live.apply(gateway, 'user/one', former.hash) }
  }

  test('are a patch of its document where that changed, and nothing else', async ({ assert }) => {
    const wanted = agentWith('work/b', 'Be brief.')
    const { done, apply } = settingsFor(wanted)
    assert.equal(await apply(), wanted.hash)
    assert.deepEqual(done, ['patch {"agents":{"defaults":{"model":{"primary":"work/b"}}}} on base'])
  })

  test('are a file where its personality changed', async ({ assert }) => {
    const wanted = agentWith('work/a', 'Be kind.')
    const { done, apply } = settingsFor(wanted)
    assert.equal(await apply(), wanted.hash)
    assert.deepEqual(done, ['SOUL.md: Be kind.'])
  })

  test('ask for a restart where the gateway does not take them', async ({ assert }) => {
    const { apply } = settingsFor(agentWith('work/a', 'Be kind.'), true)
    assert.isNull(await apply())
  })

  test('ask for a restart where another section changed', async ({ assert }) => {
    const wanted = agentWith('work/a', 'Be brief.')
    const document = { ...wanted.document, cron: { enabled: false } } as never
    const { apply } = settingsFor({ ...wanted, document, hash: documentHash(document, []) })
    assert.isNull(await apply())
  })
})
