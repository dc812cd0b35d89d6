import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

/** Rooms that any history must replay in: same input, same output, on every node and version. */
const pureRooms = ['raft', 'machine', 'approval', 'audit', 'risk', 'response']
const pureFiles = [
  ...pureRooms.map((room) => `src/${room}/**/*.ts`),
  // What signing/index.ts offers runs inside apply; its side doors do I/O and are left out.
  'src/signing/**/*.ts',
]
const signingDoors = ['src/signing/key-file.ts', 'src/signing/sealed-key.ts']

const handedIn = 'Time, randomness and effects are handed to a pure room as data or as a port.'

/** Globals that reach the world, or differ from machine to machine. */
const bannedGlobals = [
  ...['Date', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'process', 'console'],
  ...['performance', 'crypto', 'fetch', 'Promise', 'Intl'],
  // Without this one, `globalThis.Date` slips through.
  'globalThis',
].map((name) => ({ name, message: handedIn }))

const localeDependent = [
  'localeCompare',
  'toLocaleString',
  'toLocaleLowerCase',
  'toLocaleUpperCase',
]

/** The results of these differ between builds of V8. */
const inexactMath = [
  ...['exp', 'expm1', 'log', 'log1p', 'log2', 'log10', 'pow', 'cbrt', 'hypot'],
  ...['sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'atan2'],
  ...['sinh', 'cosh', 'tanh', 'asinh', 'acosh', 'atanh'],
]

const bannedProperties = [
  { object: 'Math', property: 'random', message: handedIn },
  ...localeDependent.map((property) => ({
    property,
    message: 'The result depends on the locale of the machine. Compare by code units.',
  })),
]

const bannedInexact = inexactMath.map((property) => ({
  object: 'Math',
  property,
  message: 'Builds of V8 disagree in the last bit. Use integers, or replicate the result as data.',
}))

const bannedSyntax = [
  { selector: 'ForInStatement', message: 'The order is not stated. Loop over sorted keys.' },
  ...[
    ':function[async=true]',
    'AwaitExpression',
    'ForOfStatement[await=true]',
    'ImportExpression',
    'TSTypeReference[typeName.name="Promise"]',
  ].map((selector) => ({ selector, message: 'A pure room is synchronous.' })),
]

export default defineConfig(
  {
    ignores: [
      ...['node_modules/', 'dist/', 'dist.next/', '.tap/', '.countersign/'],
      ...['src/wire/generated/', 'src/status/page/', 'test/fixtures/'],
    ],
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // A new kind of command, event or message must be handled wherever kinds are told apart.
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      // Numbers and booleans in a message need no ceremony; objects and undefined are faults.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // `while (true)` is the plain form of a loop that ends by return.
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      // An arrow that hands on a void result is easier to read than a block around it.
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // `Hex32 | 'none'` tells the reader of the word, though the compiler sees only a string.
      '@typescript-eslint/no-redundant-type-constituents': 'off',
      // `== null` is the short form of "null or undefined".
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    // Set-up and tools: plain JavaScript that runs before anything is installed or built.
    files: ['**/*.js', '**/*.cjs'],
    rules: {
      eqeqeq: 'error',
      'prefer-const': 'error',
      'no-unused-vars': 'error',
      'no-var': 'error',
    },
  },
  {
    files: pureFiles,
    ignores: signingDoors,
    rules: {
      'no-restricted-globals': ['error', ...bannedGlobals],
      'no-restricted-properties': ['error', ...bannedProperties],
      'no-restricted-syntax': ['error', ...bannedSyntax],
      '@typescript-eslint/require-array-sort-compare': ['error', { ignoreStringArrays: false }],
    },
  },
  {
    files: ['machine', 'approval', 'audit', 'signing'].map((room) => `src/${room}/**/*.ts`),
    ignores: signingDoors,
    rules: {
      'no-restricted-properties': ['error', ...bannedProperties, ...bannedInexact],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // tap's `t.rejects` and friends return promises that a test awaits; fakes need not wait.
      '@typescript-eslint/require-await': 'off',
      // In a test a missing element fails the test at once, which is what one wants.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
)
