/**
 * A copy of the compiled program in a folder of its own, in which one source file at a time is
 * replaced by its mutant. The source is transpiled file by file, without types: a mutant is a bug of
 * behaviour, and need not please the compiler.
 */
import { spawn } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { mutate, type Mutant } from './mutant.js'

/** What the scenarios and the simulator need. */
const rooms = [
  'src',
  'cluster/linearizability',
  'test/scenarios',
  'test/simulation',
  'test/mutants',
] as const
/** Of tests that scenarios build on. */
const helpers = ['test/machine', 'test/node', 'test/approval'] as const

export interface Ran {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number | null
  readonly timedOut: boolean
}

export class Sandbox {
  readonly folder: string
  private readonly root: string

  private constructor(root: string, folder: string) {
    this.root = root
    this.folder = folder
  }

  /** `root`: the repository. The folder is removed by `close`. */
  static create(root: string): Sandbox {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-mutants-'))
    const sandbox = new Sandbox(root, folder)
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
    for (const room of [...rooms, ...helpers]) sandbox.copy(room)
    return sandbox
  }

  /** A second one, for work side by side. */
  clone(): Sandbox {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-mutants-'))
    cpSync(this.folder, folder, { recursive: true, verbatimSymlinks: true })
    return new Sandbox(this.root, folder)
  }

  plant(mutant: Mutant): void {
    const source = readFileSync(join(this.root, mutant.file), 'utf8')
    this.write(mutant.file, mutate(mutant, source))
  }

  heal(mutant: Mutant): void {
    this.write(mutant.file, readFileSync(join(this.root, mutant.file), 'utf8'))
  }

  /** Runs a compiled program of the sandbox in a process of its own; ends it after `timeoutMs`. */
  run(program: string, args: readonly string[], timeoutMs: number): Promise<Ran> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [join(this.folder, program), ...args], {
        cwd: this.folder,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let stdout = ''
      let stderr = ''
      let timedOut = false
      const timer = setTimeout(() => {
        timedOut = true
        child.kill('SIGKILL')
      }, timeoutMs)
      child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
      child.once('error', reject)
      child.once('close', (exitCode) => {
        clearTimeout(timer)
        resolve({ stdout, stderr, exitCode, timedOut })
      })
    })
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  private copy(room: string): void {
    for (const entry of readdirSync(join(this.root, room), { withFileTypes: true })) {
      const file = `${room}/${entry.name}`
      if (entry.isDirectory()) this.copy(file)
      else if (entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts')) {
        // Tests of other rooms only lend their helpers.
        if (!entry.name.endsWith('.test.ts'))
          this.write(file, readFileSync(join(this.root, file), 'utf8'))
      } else {
        mkdirSync(join(this.folder, room), { recursive: true })
        cpSync(join(this.root, file), join(this.folder, file))
      }
    }
  }

  private write(file: string, source: string): void {
    const target = join(this.folder, file.replace(/\.ts$/, '.js'))
    const compilerOptions = {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    }
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, ts.transpileModule(source, { compilerOptions }).outputText)
  }
}
