#!/bin/sh
# The launcher: fetches one agent's document and files from Mosaic, so that they are current at each start, then
# becomes the agent's gateway. Runs as the agent, both as a process beside Mosaic and in a container.
#
# Environment
#   MOSAIC_API_URL        Mosaic's internal listener, as http://host:port, or https behind a balancer
#   AGENT_ID              user/<id> or system/<id>
#   MOSAIC_SECRETS_FILE   JSON with the agent's gateway token: { "token": "…" }
#                         (default /run/mosaic/secrets.json)
#   OPENCLAW_STATE_DIR    the agent's data (default ~/.openclaw)
#   OPENCLAW_CONFIG_PATH  path of the document (default openclaw.json in the state folder)
#   MOSAIC_GATEWAY_PORT   port of the gateway (default 18789)
#   MOSAIC_GATEWAY_BIND   loopback or lan (default lan: in a container, loopback reaches nobody)
#   MOSAIC_NODE           the Node binary (default node)
#   MOSAIC_OPENCLAW       folder of the OpenClaw package (default: the working folder, then PATH)
#   MOSAIC_INSTANCE       lets the process driver find the agent's processes; unused here
#   MOSAIC_FETCH_SEC      seconds to wait for Mosaic (default 30)
#
# Exit codes: 65 the owner has no provider, 69 OpenClaw is missing, 75 Mosaic is unreachable, 77 Mosaic refused
# the token, 78 the document was refused; any other is OpenClaw's.
set -eu
umask 077

: "${MOSAIC_API_URL:?}" "${AGENT_ID:?}"
MOSAIC_SECRETS_FILE=${MOSAIC_SECRETS_FILE:-/run/mosaic/secrets.json}
OPENCLAW_STATE_DIR=${OPENCLAW_STATE_DIR:-$HOME/.openclaw}
OPENCLAW_CONFIG_PATH=${OPENCLAW_CONFIG_PATH:-$OPENCLAW_STATE_DIR/openclaw.json}
export MOSAIC_API_URL AGENT_ID MOSAIC_SECRETS_FILE OPENCLAW_STATE_DIR OPENCLAW_CONFIG_PATH
export OPENCLAW_NO_AUTO_UPDATE=1 OPENCLAW_DISABLE_BONJOUR=1 OPENCLAW_NO_RESPAWN=1
node=${MOSAIC_NODE:-node}

# If memory runs out, the kernel kills an agent before Mosaic. Not every system allows setting this.
{ echo 500 >/proc/self/oom_score_adj; } 2>/dev/null || true

# Where supported, programs that gain privileges when run (su, sudo) gain none here.
unprivileged=
if setpriv --no-new-privs true 2>/dev/null; then unprivileged='setpriv --no-new-privs'; fi

if [ -n "${MOSAIC_OPENCLAW:-}" ]; then
  main=$MOSAIC_OPENCLAW/openclaw.mjs
elif [ -f openclaw.mjs ]; then
  main=$PWD/openclaw.mjs
elif [ -f dist/index.js ]; then
  main=$PWD/dist/index.js
else
  main=$(command -v openclaw || true)
fi
if [ ! -f "$main" ]; then
  echo "launcher: OpenClaw is not here${MOSAIC_OPENCLAW:+: $MOSAIC_OPENCLAW}" >&2
  exit 69
fi

mkdir -p "$OPENCLAW_STATE_DIR"
# OpenClaw, once it has changed its document itself, treats one without its own notes as damaged and restores
# its last copy. Mosaic's document is the one that counts.
rm -f "$OPENCLAW_CONFIG_PATH".bak* "$OPENCLAW_CONFIG_PATH".last-good

# What it prints opens what is known, and nothing else: see knowledgeTokenOf in Mosaic.
# CommonJS and node:http: modules and fetch would take twice the processor time at each wake.
MOSAIC_KNOWLEDGE_TOKEN=$(NODE_COMPILE_CACHE='' "$node" --disable-warning=ExperimentalWarning --input-type=commonjs - <<'FETCH'
const { createHmac, randomUUID } = require('node:crypto')
const {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} = require('node:fs')
const http = require('node:http')
const { hostname } = require('node:os')
const { dirname, join, resolve, sep } = require('node:path')
const { text } = require('node:stream/consumers')
const { setTimeout: after } = require('node:timers/promises')

const { MOSAIC_API_URL, AGENT_ID, MOSAIC_SECRETS_FILE, OPENCLAW_STATE_DIR, OPENCLAW_CONFIG_PATH } =
  process.env
const deadline = Date.now() + Number(process.env.MOSAIC_FETCH_SEC || 30) * 1000

function fail(code, message) {
  console.error(`launcher: ${message}`)
  process.exit(code)
}

/** @throws if Mosaic cannot be reached, or has not answered in full after ten seconds */
async function ask(url, token) {
  const headers = { authorization: `Bearer ${token}`, accept: 'application/json' }
  const options = { headers, signal: AbortSignal.timeout(10_000) }
  const client = url.startsWith('https:') ? require('node:https') : http
  const response = await new Promise((answered, failed) => {
    client.get(url, options, answered).on('error', failed)
  })
  return { status: response.statusCode, body: await text(response) }
}

/** Returns undefined if a retry may help. */
async function attempt(url, token) {
  const { status, body } = await ask(url, token)
  if (status === 200) return JSON.parse(body)
  if (body.includes('"E_NO_PROVIDER"')) fail(65, 'the owner has no provider that could be used')
  if ([401, 403, 404].includes(status)) fail(77, `Mosaic answered ${status}`)
  if (status < 500 && status !== 429) fail(78, `Mosaic answered ${status}`)
}

/** Retries until the deadline, because Mosaic may be restarting for a few seconds. */
async function get(path, token) {
  const url = `${MOSAIC_API_URL}/api/internal/agent-config/${AGENT_ID}${path}`
  for (let pause = 100; Date.now() < deadline; pause = Math.min(2 * pause, 2000)) {
    const answer = await attempt(url, token).catch(() => undefined)
    if (answer !== undefined) return answer
    await after(pause)
  }
  fail(75, 'Mosaic cannot be reached on its internal address')
}

/**
 * Ends leases of other hosts: an agent that was killed before it moved here left its own, and OpenClaw would
 * wait minutes for it. The runtime has ended everything else that worked on this data.
 */
async function endLeasesElsewhere() {
  const file = join(OPENCLAW_STATE_DIR, 'state/openclaw.sqlite')
  if (!existsSync(file)) return
  const { DatabaseSync } = require('node:sqlite')
  const database = new DatabaseSync(file)
  const isElsewhere = `json_extract(payload_json, '$.owner.host') <> ?`
  database.prepare(`DELETE FROM state_leases WHERE ${isElsewhere}`).run(hostname())
  database.close()
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true })
  const temporary = `${path}.${randomUUID()}`
  writeFileSync(temporary, text, { mode: 0o600 })
  renameSync(temporary, path)
}

async function main() {
  const { token } = JSON.parse(readFileSync(MOSAIC_SECRETS_FILE, 'utf8'))
  const [document, { files }] = await Promise.all([get('', token), get('/files', token)])

  for (const { path, content } of files) {
    const target = resolve(OPENCLAW_STATE_DIR, path)
    if (!target.startsWith(resolve(OPENCLAW_STATE_DIR) + sep)) fail(78, `a file lies outside: ${path}`)
    write(target, content)
  }
  // OpenClaw tells what is wrong with its own database.
  await endLeasesElsewhere().catch(() => {})
  write(resolve(OPENCLAW_CONFIG_PATH), JSON.stringify(document, null, 2))
  writeSync(1, createHmac('sha256', token).update('mosaic/knowledge/v1').digest('base64url'))
  process.exit(0)
}

main()
FETCH
)
export MOSAIC_KNOWLEDGE_TOKEN

unset MOSAIC_FETCH_SEC
preload=$OPENCLAW_STATE_DIR/mosaic/preload.mjs
[ -s "$preload" ] || preload=
# OpenClaw writes conversations to standard output, which must not enter a log; its errors go to standard error.
# Unquoted variables hold commands to split into words.
# shellcheck disable=SC2086
exec $unprivileged "$node" ${preload:+--import "$preload"} "$main" gateway run \
  --port "${MOSAIC_GATEWAY_PORT:-18789}" --bind "${MOSAIC_GATEWAY_BIND:-lan}" --auth token >/dev/null
