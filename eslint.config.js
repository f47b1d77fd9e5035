import regexp from 'eslint-plugin-regexp'
import vue from 'eslint-plugin-vue'
import { configApp } from '@adonisjs/eslint-config'
import { parser } from 'typescript-eslint'

export default configApp(
  {
    ignores: [
      '**/dist/**',
      'public/assets/**',
      'storage/**',
      'plugins/**',
      'screenshots/**',
      'database/schema.ts',
    ],
  },
  ...vue.configs['flat/recommended'].map((config) => ({ ...config, files: ['**/*.vue'] })),
  {
    rules: {
      /** `(await x).y` reads well when x is a manager or a response. */
      '@unicorn/no-await-expression-member': 'off',
      /** Error classes are named by their code: E_VAULT_TAMPERED. */
      '@typescript-eslint/naming-convention': 'off',
    },
  },
  {
    /** Text comes from agents, members and services, and one thread reads it for all. Tests read their own. */
    ignores: ['tests/**', 'bench/**', 'chaos/**'],
    plugins: { regexp },
    rules: {
      'regexp/no-super-linear-backtracking': ['error', { report: 'potential' }],
      'regexp/no-super-linear-move': ['error', { report: 'potential' }],
      'no-restricted-syntax': [
        'error',
        {
          selector: ':matches(NewExpression, CallExpression)[callee.name="RegExp"]',
          message:
            'No rule sees what this matches, or how long it takes. Write it out, or compare strings.',
        },
        {
          selector: 'Literal[regex.pattern=/(\\.|\\[\\^\\]|\\[\\\\s\\\\S\\])[*+]\\?/]',
          message: 'This reads to the end from each of its beginnings. Use indexOf.',
        },
      ],
    },
  },
  {
    files: ['**/*.vue'],
    languageOptions: { parserOptions: { parser } },
    rules: {
      'vue/multi-word-component-names': 'off',
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/html-self-closing': 'off',
      'vue/html-indent': 'off',
      'vue/html-closing-bracket-newline': 'off',
      'vue/first-attribute-linebreak': 'off',
      /** What people read is in `inertia/locales`. Signs between two of its texts are no words. */
      'vue/no-bare-strings-in-template': [
        'error',
        {
          allowlist: ['·', '–', '→', ':', ',', '.', '…', '(', ')', '/', '%'],
          attributes: {
            '/.+/': [
              'title',
              'aria-label',
              'aria-description',
              'placeholder',
              'alt',
              'label',
              'description',
              'help',
              'hint',
            ],
          },
        },
      ],
    },
  }
)
