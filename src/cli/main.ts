#!/usr/bin/env node
import { processWorld } from './world.js'
import { runCommandLine } from './program.js'

process.exitCode = await runCommandLine(process.argv.slice(2), processWorld())
