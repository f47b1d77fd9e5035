/**
 * Routes of the public listener. Each declares its callers with `.access(…)`; a route without a rule
 * refuses everyone and fails the tests. Routes for agents are in `start/internal_routes.ts`.
 */
import '#start/routes/health'
import '#start/routes/onboarding'
import '#start/routes/identity'
import '#start/routes/providers'
import '#start/routes/agent'
import '#start/routes/chat'
import '#start/routes/knowledge'
import '#start/routes/admin'
import '#start/routes/docs'
import '#start/routes/pages'
