import { test } from '@japa/runner'
import { decideRole } from '#identity/oidc/role_rules'

/** What providers put into an id_token or userinfo answer for one person who is an admin of Mosaic. */
const SHAPES: { provider: string; claim: string; admin: string; claims: object }[] = [
  {
    provider: 'Keycloak, realm roles',
    claim: 'realm_access.roles',
    admin: 'mosaic-admin',
    claims: { realm_access: { roles: ['offline_access', 'default-roles-acme', 'mosaic-admin'] } },
  },
  {
    provider: 'Keycloak, roles of a client with dots in its ID',
    claim: 'resource_access.mosaic.acme.example.roles',
    admin: 'admin',
    claims: {
      resource_access: {
        'account': { roles: ['view'] },
        'mosaic.acme.example': { roles: ['admin'] },
      },
    },
  },
  {
    provider: 'Keycloak, groups by their full path',
    claim: 'groups',
    admin: '/staff/mosaic-admins',
    claims: { groups: ['/staff', '/staff/mosaic-admins'] },
  },
  {
    provider: 'Entra, groups by their object IDs',
    claim: 'groups',
    admin: '0760b6cf-170e-4a14-91b3-4b78e0739963',
    claims: {
      groups: ['3b2b0c93-acd8-4208-8eba-7a48db1cd4c0', '0760b6cf-170e-4a14-91b3-4b78e0739963'],
    },
  },
  { provider: 'Entra, app roles', claim: 'roles', admin: 'Admin', claims: { roles: ['Admin'] } },
  {
    provider: 'Okta, groups by a filter',
    claim: 'groups',
    admin: 'Mosaic Admins',
    claims: { groups: ['Everyone', 'Mosaic Admins'] },
  },
  {
    provider: 'Auth0, a claim with an address as its name',
    claim: 'https://mosaic.acme.example/roles',
    admin: 'admin',
    claims: { 'https://mosaic.acme.example/roles': ['admin'] },
  },
  {
    provider: 'Auth0, app metadata under an address',
    claim: 'https://mosaic.acme.example/app_metadata.authorization.roles',
    admin: 'admin',
    claims: {
      'https://mosaic.acme.example/app_metadata': { authorization: { roles: ['admin'] } },
    },
  },
  {
    provider: 'Zitadel, roles as the names of an object of objects',
    claim: 'urn:zitadel:iam:org:project:roles',
    admin: 'mosaic_admin',
    claims: {
      'urn:zitadel:iam:org:project:roles': {
        mosaic_user: { 165: 'acme.zitadel.cloud' },
        mosaic_admin: { 165: 'acme.zitadel.cloud' },
      },
    },
  },
  {
    provider: 'Zitadel, roles of one project',
    claim: 'urn:zitadel:iam:org:project:69234:roles',
    admin: 'mosaic_admin',
    claims: { 'urn:zitadel:iam:org:project:69234:roles': { mosaic_admin: { 165: 'acme' } } },
  },
  {
    provider: 'Authentik, groups by name',
    claim: 'groups',
    admin: 'authentik Admins',
    claims: { groups: ['authentik Admins', 'people'] },
  },
  {
    provider: 'Authentik, entitlements',
    claim: 'entitlements',
    admin: 'mosaic-admin',
    claims: { entitlements: ['mosaic-admin'], roles: ['mosaic-admin'] },
  },
  {
    provider: 'Cognito, groups of the pool',
    claim: 'cognito:groups',
    admin: 'mosaic-admins',
    claims: { 'cognito:groups': ['mosaic-admins'], 'cognito:roles': [] },
  },
  {
    provider: 'Cognito, one attribute',
    claim: 'custom:role',
    admin: 'admin',
    claims: { 'custom:role': 'admin' },
  },
  {
    provider: 'Google, the organisation',
    claim: 'hd',
    admin: 'acme.example',
    claims: { hd: 'acme.example' },
  },
  { provider: 'a flag', claim: 'mosaic_admin', admin: 'true', claims: { mosaic_admin: true } },
]

const decide = (
  claim: string,
  claims: object,
  memberValues: string[] = ['staff'],
  admin = 'boss'
) => decideRole({ claim, adminValues: [admin], memberValues }, claims as Record<string, unknown>)

test.group('Roles from claims', () => {
  test('are found in what {provider} sends')
    .with(SHAPES)
    .run(({ assert }, { claim, admin, claims }) => {
      const told = { sub: 'ada', iss: 'https://login.example', ...claims }
      assert.containsSubset(decide(claim, told, ['staff'], admin), { role: 'admin' })
      const without = decide(claim, told, ['staff'], `${admin}-of-others`)
      assert.containsSubset(without, { role: null, because: 'no_match' })
      assert.notProperty(without, 'notTold')
    })

  test('are not told where the claim is missing or null', ({ assert }) => {
    for (const claims of [{}, { groups: null }, { realm: 'boss' }, { realm_access: {} }]) {
      assert.equal(decide('groups', claims).notTold, 'missing')
      assert.equal(decide('realm_access.roles', claims).notTold, 'missing')
    }
    assert.notProperty(decide('groups', { groups: [] }), 'notTold', 'an empty list is told')
  })

  test('are not told where Entra leaves too many groups out', ({ assert }) => {
    const overage = {
      _claim_names: { groups: 'src1' },
      _claim_sources: {
        src1: { endpoint: 'https://graph.microsoft.com/v1.0/me/getMemberObjects' },
      },
    }
    assert.equal(decide('groups', overage).notTold, 'overage')
    assert.equal(decide('groups', { hasgroups: true }).notTold, 'overage')
    assert.equal(decide('roles', overage).notTold, 'missing', 'only groups are elsewhere')
    assert.containsSubset(decide('groups', overage), { role: null })
    assert.containsSubset(decide('groups', overage, []), { role: 'member' }, 'for new people')
    assert.notProperty(decide('groups', { ...overage, groups: ['staff'] }), 'notTold')
  })

  test('are not what an object names and denies', ({ assert }) => {
    assert.deepEqual(decide('roles', { roles: { boss: false, staff: null, guest: true } }).found, [
      'guest',
    ])
  })

  test('do not come from what every object has', ({ assert }) => {
    for (const claim of ['constructor', '__proto__', 'groups.constructor.name', 'a.__proto__.b']) {
      assert.containsSubset(decide(claim, { groups: ['x'], a: {} }), { found: [], role: null })
    }
  })
})
