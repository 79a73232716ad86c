import neostandard from 'neostandard'

export default [
  ...neostandard({ ts: true, ignores: ['dist/', '.built/', '.tap/', 'coverage/', 'pages/sdk.js'] }),
  {
    rules: {
      // A row of a table stays a row.
      '@stylistic/object-property-newline': 'off',
      // A promise that nobody waits for says so.
      'no-void': ['error', { allowAsStatement: true }],
      // Parts that need each other are declared first and filled in later.
      'prefer-const': ['error', { destructuring: 'all', ignoreReadBeforeAssign: true }]
    }
  },
  {
    files: ['**/*.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      // Parameters are the compiler's business.
      '@typescript-eslint/no-unused-vars': ['error', { args: 'none', caughtErrors: 'all', ignoreRestSiblings: true }],
      // A schema and its type share one name; the compiler refuses what is really declared twice.
      '@typescript-eslint/no-redeclare': 'off'
    }
  },
  {
    // What browsers have and Node has not.
    files: ['pages/**/*.js'],
    rules: { 'accessor-pairs': 'off', 'no-void': 'off' },
    languageOptions: {
      globals: Object.fromEntries(['addEventListener', 'document', 'location', 'history', 'sessionStorage', 'navigator', 'HTMLElement', 'CustomEvent', 'customElements', 'MediaRecorder']
        .map(name => [name, 'readonly']))
    }
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Numbers that cannot be held are hostile input.
      '@typescript-eslint/no-loss-of-precision': 'off'
    }
  }
]
