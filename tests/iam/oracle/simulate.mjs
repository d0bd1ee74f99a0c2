// Answers simulations, one JSON document a line, with the decisions of @cloud-copilot/iam-simulate.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const { runSimulation, runUnsafeSimulation } = createRequire(`${process.argv[2]}/`)('@cloud-copilot/iam-simulate')

// The unsafe way is several times faster, and knows neither policies of sessions nor of resources, nor the policy that
// AWS attaches beside each resource control policy, nor actions without a resource.
const isPlain = (simulation) =>
  !simulation.resourcePolicy &&
  !simulation.sessionPolicy &&
  simulation.resourceControlPolicies.length === 0 &&
  simulation.request.resource.resource !== '*'

let number = 0
for await (const line of createInterface({ input: process.stdin })) {
  const simulation = JSON.parse(line)
  let answer
  try {
    if (isPlain(simulation) && number++ % 8 !== 0) {
      answer = { result: runUnsafeSimulation(simulation, { simulationMode: 'Strict' }) }
    } else {
      const told = await runSimulation(simulation, { simulationMode: 'Strict' })
      answer = told.resultType === 'error' ? { error: told.errors } : { result: told.overallResult }
    }
  } catch (error) {
    answer = { error: String(error) }
  }
  process.stdout.write(JSON.stringify(answer) + '\n')
}
