/**
 * Mosaic's search over one owner's many findings, beside the database's own full-text search over the same
 * texts, unsealed.
 */
import 'reflect-metadata'
import { createId } from '#models/row_id'
import { countsOf } from '#knowledge/search/words'
import { answerQuestions } from '../answering.js'
import { consoleApp } from '../console_app.js'
import { Corpus, type Text } from '../corpus.js'
import type { SearchTimes } from '../groups/search.js'

const [count] = process.argv.slice(2).map(Number)

/** Texts per statement, and words. */
const BATCH = 500
const WORDS_BATCH = 5000
const QUERIES = 200
const WARM_UP = 20
const QUERY_WORDS = 3
const MATCHES = 10

const app = await consoleApp()
const { default: db } = await import('@adonisjs/lucid/services/db')
const { default: User } = await import('#models/user')
const { default: Finding } = await import('#models/finding')
const isPostgres = db.connection().dialect.name === 'postgres'

const user = await User.create({ email: 'owner@example.test', name: 'Owner', role: 'member' })
const cipher = await (await app.container.make('knowledge.keys')).get(user.id)
const findings = await app.container.make('knowledge.findings')
const corpus = new Corpus()
const asked: string[] = []
const numbers = new Map<string, number>()
/** Rows of the index by word, as SQL. */
const wordRows = new Map<number, string[]>()

async function fill(): Promise<void> {
  await createPlain()
  for (let from = 0; from < count; from += BATCH) {
    const texts = Array.from({ length: Math.min(BATCH, count - from) }, () => corpus.text())
    await store(texts, from)
    await storePlain(texts)
    if (asked.length < QUERIES + WARM_UP) asked.push(corpus.query(texts[0], QUERY_WORDS))
  }
  await storeWords()
  await db.rawQuery(
    `insert into search_collections (user_id, kind, documents, words)
     select user_id, kind, count(*), sum(length) from search_documents group by user_id, kind`
  )
  /** A database does this by itself once it has this many rows. */
  await db.rawQuery(isPostgres ? 'vacuum analyze' : 'analyze')
}

/** Stores findings as `Findings.create` does, many at a time. */
async function store(texts: Text[], from: number): Promise<void> {
  const now = new Date().toISOString().replace('T', ' ').slice(0, 23)
  const documents: object[] = []
  const rows = texts.map(({ title, body }, index) => {
    const row = new Finding()
    row.id = createId()
    row.sealWith(cipher, 'title', title)
    row.sealWith(cipher, 'body', body)
    const id = from + index + 1
    const counts = countsOf(`${title} ${title} ${body}`.split(' '))
    const length = [...counts.values()].reduce((sum, each) => sum + each, 0)
    documents.push({ id, user_id: user.id, kind: 'finding', ref_id: row.id, length })
    for (const [word, frequency] of counts) {
      const number = numberOf(word)
      const held = wordRows.get(number) ?? []
      held.push(`(${number}, ${id}, ${frequency}, ${length})`)
      wordRows.set(number, held)
    }
    return {
      id: row.id,
      user_id: user.id,
      author: 'person',
      title: row.title,
      body: row.body,
      content_mac: cipher.name('finding', title, body),
      status: 'current',
      bytes: title.length + body.length,
      created_at: now,
      updated_at: now,
    }
  })
  await db.transaction(async (trx) => {
    await trx.table('findings').multiInsert(rows)
    await trx.table('search_documents').multiInsert(documents)
  })
}

function numberOf(word: string): number {
  const number = numbers.get(word) ?? cipher.word('finding', word)
  numbers.set(word, number)
  return number
}

/** In the order of the index, because any other takes a quarter of an hour. */
async function storeWords(): Promise<void> {
  const rows = [...wordRows].toSorted(([one], [other]) => one - other).flatMap(([, some]) => some)
  await db.transaction(async (trx) => {
    for (let at = 0; at < rows.length; at += WORDS_BATCH) {
      const values = rows.slice(at, at + WORDS_BATCH).join(', ')
      await trx.rawQuery(
        `insert into search_words (word, document_id, frequency, length) values ${values}`
      )
    }
  })
}

async function createPlain(): Promise<void> {
  if (!isPostgres) {
    await db.rawQuery('create virtual table plain using fts5(title, body)')
    return
  }
  await db.rawQuery(`create table plain (
    title text,
    body text,
    words tsvector generated always as (to_tsvector('simple', title || ' ' || body)) stored
  )`)
  await db.rawQuery('create index plain_words_index on plain using gin (words)')
}

async function storePlain(texts: Text[]): Promise<void> {
  await db.table('plain').multiInsert(texts.map(({ title, body }) => ({ title, body })))
}

async function searchPlain(query: string): Promise<void> {
  const words = query.split(' ')
  await (isPostgres
    ? db.rawQuery(
        `select title, body from plain, to_tsquery('simple', ?) as query
         where words @@ query order by ts_rank(words, query) desc limit ?`,
        [words.join(' | '), MATCHES]
      )
    : db.rawQuery('select title, body from plain where plain match ? order by rank limit ?', [
        words.join(' OR '),
        MATCHES,
      ]))
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await run()
  return performance.now() - startedAt
}

/** Both searches in turns, milliseconds each. */
async function search(): Promise<SearchTimes> {
  await fill()
  const times: SearchTimes = { own: [], plain: [], found: 0 }
  for (const [index, query] of asked.entries()) {
    let found = 0
    const own = await timed(async () => {
      found = (await findings.search(user.id, query, MATCHES)).length
    })
    const plain = await timed(() => searchPlain(query))
    if (index < WARM_UP) continue
    times.own.push(own)
    times.plain.push(plain)
    if (found > 0) times.found++
  }
  return times
}

answerQuestions({ search }, {})
