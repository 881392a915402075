#!/usr/bin/env node
import { run } from './lab.ts'

process.exitCode = run(process.argv.slice(2))
