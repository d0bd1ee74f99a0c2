// Validates state machines with `asl-validator`, and runs them by the rules of the Amazon States Language with
// JSONata as its own implementation evaluates it. Tasks are answered by the case; nothing here knows what a gate is.
//
// Input: { machines: [{ name, definition, cases: [{ input, answers }] }] }, where `answers` has, by state, a list of
// `{ result }` or `{ error }` in the order of the calls. Output: { name: { errors, runs } } in the same order.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";

const require = createRequire(process.argv[2] + "/");
const jsonata = require("jsonata");
const validate = require("asl-validator");

class StateError extends Error {
  constructor(name, message) {
    super(message ?? name);
    this.errorName = name;
  }
}

const compiled = new Map();
const hash = (text, kind) => createHash(kind.replace("-", "").toLowerCase()).update(text).digest("hex");

async function evaluate(value, scope) {
  if (Array.isArray(value)) return Promise.all(value.map((item) => evaluate(item, scope)));
  if (value !== null && typeof value === "object") {
    const made = {};
    for (const [key, item] of Object.entries(value)) made[key] = await evaluate(item, scope);
    return made;
  }
  if (typeof value !== "string" || !value.startsWith("{%")) return value;
  if (!value.endsWith("%}")) throw new StateError("States.Runtime", `not an expression: ${value}`);
  const text = value.slice(2, -2);
  try {
    if (!compiled.has(text)) compiled.set(text, jsonata(text));
    const names = [...text.matchAll(/\$([a-zA-Z]\w*)/g)].map((match) => match[1]);
    const unknown = names.filter((name) => name in scope.declared && !(name in scope.variables));
    if (unknown.length) throw new Error(`undefined variable ${unknown}`);
    const result = await compiled.get(text).evaluate(undefined, { ...scope.variables, states: scope.states, hash });
    if (result === undefined) throw new Error("no value");
    return JSON.parse(JSON.stringify(result));
  } catch (error) {
    throw new StateError("States.QueryEvaluationError", `${text}: ${error.message}`);
  }
}

/** The variables that a definition assigns anywhere: reading one before that is an error, not nothing. */
function declaredIn(value, found = {}) {
  if (value !== null && typeof value === "object") {
    if (value.Assign) for (const name of Object.keys(value.Assign)) found[name] = true;
    for (const item of Object.values(value)) declaredIn(item, found);
  }
  return found;
}

async function run(definition, one, declared) {
  const variables = {};
  const visited = [];
  const tasks = [];
  const pending = structuredClone(one.answers ?? {});
  const execution = { Id: "arn:execution", Name: "execution-1", RoleArn: "arn:role", StartTime: new Date(Date.now() - 1500).toISOString() };
  const context = { Execution: execution, Task: { Token: "token" } };
  let data = one.input;
  let name = definition.StartAt;
  for (let step = 0; step < 1000; step += 1) {
    const state = definition.States[name];
    if (!state) throw new Error(`no state ${name}`);
    visited.push(name);
    const State = { Name: name, EnteredTime: new Date().toISOString() };
    const scope = { variables, declared, states: { input: data, context: { ...context, State } } };
    let next;
    try {
      next = await enter(name, state, scope, { pending, tasks });
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      const caught = (state.Catch ?? []).find(
        (catcher) => catcher.ErrorEquals.includes("States.ALL") || catcher.ErrorEquals.includes(error.errorName),
      );
      if (!caught) return { visited, tasks, status: "FAILED", error: error.errorName, cause: error.message };
      scope.states.errorOutput = { Error: error.errorName, Cause: error.message };
      Object.assign(variables, await evaluate(caught.Assign ?? {}, scope));
      next = { to: caught.Next, output: scope.states.errorOutput };
    }
    if (next.status) return { visited, tasks, ...next };
    data = next.output;
    name = next.to;
  }
  throw new Error("the execution does not end");
}

async function enter(name, state, scope, { pending, tasks }) {
  const { variables, states } = scope;
  switch (state.Type) {
    case "Pass": {
      const output = "Output" in state ? await evaluate(state.Output, scope) : states.input;
      Object.assign(variables, await evaluate(state.Assign ?? {}, scope));
      return { to: state.Next, output };
    }
    case "Choice": {
      for (const rule of state.Choices) {
        const holds = await evaluate(rule.Condition, scope);
        if (typeof holds !== "boolean") throw new StateError("States.QueryEvaluationError", "not a boolean");
        if (holds) {
          Object.assign(variables, await evaluate(rule.Assign ?? {}, scope));
          return { to: rule.Next, output: states.input };
        }
      }
      if (!state.Default) throw new StateError("States.NoChoiceMatched");
      return { to: state.Default, output: states.input };
    }
    case "Task": {
      const args = await evaluate(state.Arguments ?? {}, scope);
      tasks.push({ state: name, resource: state.Resource, arguments: args, seconds: state.TimeoutSeconds });
      const answer = (pending[name] ?? []).shift();
      if (answer === undefined) throw new StateError("States.Timeout");
      if ("error" in answer) throw new StateError(answer.error);
      states.result = answer.result;
      const output = "Output" in state ? await evaluate(state.Output, scope) : answer.result;
      Object.assign(variables, await evaluate(state.Assign ?? {}, scope));
      return state.End ? { status: "SUCCEEDED", output } : { to: state.Next, output };
    }
    case "Succeed":
      return { status: "SUCCEEDED", output: await evaluate(state.Output ?? states.input, scope) };
    case "Fail":
      return { status: "FAILED", error: state.Error, cause: await evaluate(state.Cause, scope) };
    default:
      throw new Error(`a state of type ${state.Type}`);
  }
}

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { machines } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
const told = [];
for (const { name, definition, cases } of machines) {
  const { isValid, errors } = validate(structuredClone(definition), { checkPaths: true, checkArn: true });
  const declared = declaredIn(definition);
  const runs = [];
  for (const one of cases) runs.push(await run(definition, one, declared));
  told.push({ name, errors: isValid ? [] : errors, runs });
}
process.stdout.write(JSON.stringify(told));
