/**
 * The public listener's routes. Each declares with `.access(…)` who may call it; a route without a rule
 * answers nobody and fails the tests. What agents call is in `start/internal_routes.ts`.
 */
import '#start/routes/health'
import '#start/routes/onboarding'
import '#start/routes/identity'
import '#start/routes/providers'
import '#start/routes/agent'
import '#start/routes/chat'
import '#start/routes/admin'
import '#start/routes/docs'
import '#start/routes/pages'
