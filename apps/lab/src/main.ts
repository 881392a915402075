#!/usr/bin/env node
import { run } from './lab.ts'

process.exitCode = await run(process.argv.slice(2))
