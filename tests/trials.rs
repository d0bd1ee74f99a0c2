//! What the cases of the packs would notice: every clause of a shipped policy has to be true in one request and false in
//! another, and every change of a policy has to make a finding come or go. And the two ways in which a request is
//! answered, by Cedar and by what each policy says alone, are the same.

use std::collections::BTreeMap;

use aipolicy_compiler::authorize::{Heard, Hearing, SHIPPED};
use aipolicy_compiler::clause::Clauses;
use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::ir::{Outcome, PolicyIndex};
use aipolicy_compiler::model::policy_test::PolicyCase;
use aipolicy_compiler::source::Span;
use aipolicy_compiler::trial::{
    Change, Fate, Gap, Mutation, Trial, cover, faults, mutants, mutations, trials,
};
use rayon::prelude::*;

use crate::harness::cases::files_of;
use crate::harness::compile::{Compiled, compile, today, with_workspace};
use crate::harness::{read, root};

/// The share of values of clauses, and of changes, that has to be noticed.
const ENOUGH: usize = 95;

/// Every pack in one workspace, to know the policies by.
const PACKS: &str = "\
apiVersion: aipolicy.dev/v1
kind: Workspace
metadata: { name: packs }
spec: { packs: [baseline, change-control, least-privilege, residency], targets: [] }
---
apiVersion: aipolicy.dev/v1
kind: Group
metadata: { name: reviewers }
spec: { members: [ana@acme.example] }
";

/// A case of a page or of the corpus, as it was answered.
struct Answered {
    compiled: Compiled,
    asked: Vec<Asked>,
}

/// A request, what policies said, and what a test says that they have to say; nothing for one of the workspace, where the
/// page says what is found.
struct Asked {
    heard: Heard,
    matching: Vec<PolicyIndex>,
    test: Option<PolicyCase>,
}

/// The cases of every shipped policy: those of its page, its seeds, and what no workspace asks.
fn answered() -> Vec<Answered> {
    let pages = SHIPPED.iter().map(|policy| policy.page.to_owned());
    let seeds = SHIPPED.iter().map(|policy| root().join(format!("tests/corpus/{}.md", policy.id())));
    let seeds = seeds.filter(|path| path.exists()).map(|path| read(&path));
    let more = [read(&root().join("tests/cases/packs.md"))];
    let files = pages.chain(seeds).chain(more).flat_map(|page| files_of(&page)).map(|(_, files)| files);
    let files: Vec<_> = files.collect();
    let answer = |files: &Vec<_>| {
        let compiled = compile(&with_workspace(files));
        Answered { asked: asked(&compiled), compiled }
    };
    pool().install(|| files.par_iter().map(answer).collect())
}

/// Threads on which policies can be read and asked, as the command line has them.
fn pool() -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().stack_size(64 << 20).build().unwrap()
}

/// Every request of a workspace and of its tests, as it was answered.
fn asked(compiled: &Compiled) -> Vec<Asked> {
    let (graph, policies) = (&compiled.compilation.graph, &compiled.compilation.policies);
    let hearing = Hearing::new(graph, policies, today());
    let requests = compiled.compilation.decisions.all().iter().map(|decision| &decision.request);
    let ask = |request| {
        let heard = hearing.hear(&hearing.request(request).unwrap()).unwrap();
        let said = policies.said(&heard.question);
        assert_eq!(said.failing, [], "no shipped policy fails");
        let answer = heard.answer.as_ref().unwrap();
        assert_eq!(hearing.together(heard.environment, &said.matching), *answer, "{request:?}");
        Asked { heard, matching: said.matching, test: None }
    };
    let tried = trials(graph, (policies, &hearing), &mut Diagnostics::default());
    for trial in &tried {
        let faults = trial.asked.iter().flat_map(|tried| &tried.faults).collect::<Vec<_>>();
        assert!(trial.passed(), "{} {}: {faults:?}", trial.test.name(), trial.at + 1);
    }
    let tested = tried.into_iter().flat_map(|trial| {
        let case = trial.case.clone();
        let one = move |tried: aipolicy_compiler::trial::Tried| Asked {
            heard: tried.heard,
            matching: tried.said.matching,
            test: Some(case.clone()),
        };
        trial.asked.into_iter().map(one)
    });
    requests.map(ask).chain(tested).collect()
}

/// Whether a finding comes or goes, or a test fails, because of a change.
fn notices(mutation: &Mutation, id: &str, Answered { compiled, asked }: &Answered) -> bool {
    let policies = &compiled.compilation.policies;
    let Some(at) = policies.find(id) else { return false };
    let hearing = Hearing::new(&compiled.compilation.graph, policies, today());
    asked.iter().any(|Asked { heard, matching, test }| {
        let Some(after) = mutation.matches(&heard.question) else { return true };
        if after == matching.contains(&at) || !hearing.is_on(at, heard.environment) {
            return false;
        }
        let others = matching.iter().copied().filter(|other| *other != at);
        let mut matching: Vec<_> = others.chain(after.then_some(at)).collect();
        matching.sort_unstable();
        let before = heard.answer.as_ref().unwrap();
        let changed = hearing.together(heard.environment, &matching);
        if let Some(test) = test {
            return !faults(test, &changed, &matching, policies).is_empty();
        }
        // A permit beside another one is not seen in any finding; a policy that forbids, or would, is in one of its own.
        match (&before.outcome, &changed.outcome) {
            (Outcome::Permitted(_), Outcome::Permitted(_)) => before.advisory != changed.advisory,
            (before, changed) => before != changed,
        }
    })
}

#[test]
fn cases_of_the_packs_reach_their_clauses_and_notice_changes() {
    let packs = compile(&[("aipolicy.yaml".to_owned(), PACKS.to_owned())]);
    let policies = &packs.compilation.policies;
    let (answered, pool) = (answered(), pool());
    let (mut values, mut had, mut made, mut killed) = (0, 0, 0, 0);
    let mut missed = BTreeMap::<&str, Vec<String>>::new();
    for shipped in SHIPPED {
        let id = shipped.id();
        let at = policies.find(id).unwrap();
        let questions = answered.iter().filter(|one| one.compiled.compilation.policies.find(id).is_some());
        let questions = questions.flat_map(|one| &one.asked).map(|asked| &asked.heard.question);
        let written = |span: Span| &shipped.text[span.start as usize..span.end as usize];
        let missed = missed.entry(id).or_default();
        for policy in cover(policies, &[at], questions) {
            let (all, reached) = policy.count();
            (values, had) = (values + all, had + reached);
            for one in &policy.clauses {
                let text = written(one.clause.span);
                let gap = |gap: &Gap| format!("`{text}` was never {}: {:?}", gap.value, gap.why);
                missed.extend(one.gaps.iter().map(gap));
            }
        }
        for mutation in mutations(policies, &[at], &packs.sources) {
            let noticed = pool.install(|| answered.par_iter().any(|case| notices(&mutation, id, case)));
            (made, killed) = (made + 1, killed + usize::from(noticed));
            if !noticed {
                let (before, change) = (written(mutation.span), mutation.change.phrase());
                missed.push(format!("`{before}` → `{}`: {change}", mutation.written));
            }
        }
    }
    println!("values of clauses of the packs that their cases reach: {had} of {values}");
    println!("changes of the packs that their cases notice: {killed} of {made}");
    for (id, missed) in missed.iter().filter(|(_, missed)| !missed.is_empty()) {
        println!("{id}\n  {}", missed.join("\n  "));
    }
    assert!(values > 300 && made > 400, "{values} values, {made} changes");
    assert!(had * 100 >= values * ENOUGH, "{had} of {values} values of clauses");
    assert!(killed * 100 >= made * ENOUGH, "{killed} of {made} changes");
}

/// For each policy of the packs and each request of its cases, the walk through its clauses ends as Cedar does.
#[test]
fn a_walk_ends_as_cedar_does() {
    let mut walked = 0;
    for shipped in SHIPPED.iter().step_by(3) {
        for (_, files) in files_of(shipped.page) {
            let compiled = compile(&with_workspace(&files));
            let policies = &compiled.compilation.policies;
            let Some(at) = policies.find(shipped.id()) else { continue };
            let clauses = Clauses::of(policies.get(at).unwrap(), policies.facts()[at.0 as usize].span);
            for Asked { heard: Heard { question, .. }, matching, .. } in asked(&compiled) {
                let walk = clauses.walk(&question.request, &question.entities);
                assert_eq!(walk.matches, Some(matching.contains(&at)), "{}", shipped.path);
                walked += 1;
            }
        }
    }
    assert!(walked > 100, "{walked}");
}

/// A workspace with two policies of its own and a test of them.
fn small(policies: &str, tests: &str) -> Vec<(String, String)> {
    let resources = "\
apiVersion: aipolicy.dev/v1
kind: Workspace
metadata: { name: small }
spec: { packs: [baseline, residency], policies: [policies], targets: [] }
---
apiVersion: aipolicy.dev/v1
kind: Environment
metadata: { name: prod }
spec: { aws: { accountId: \"111122223333\", regions: [eu-central-1, us-east-1] } }
---
apiVersion: aipolicy.dev/v1
kind: Environment
metadata: { name: lab }
spec: { aws: { accountId: \"111122223344\", regions: [us-east-1] }, severity: { cards: off } }
---
apiVersion: aipolicy.dev/v1
kind: ResidencyRule
metadata: { name: in-the-eu }
spec: { appliesTo: { dataClasses: [confidential] }, allow: { jurisdictions: [eu] } }
---
apiVersion: aipolicy.dev/v1
kind: Tenant
metadata: { name: payments }
spec: { owner: team@acme.example, environments: [prod], clearance: [confidential], models: [small] }
---
apiVersion: aipolicy.dev/v1
kind: Model
metadata: { name: small }
spec:
  provider: bedrock
  modelId: openai.gpt-oss-20b-1:0
  lifecycle: { status: active, legacyFrom: 2027-01-31, endOfLife: 2027-06-30 }
---
apiVersion: aipolicy.dev/v1
kind: Connector
metadata: { name: papers }
spec: { s3: { bucket: acme-papers }, region: eu-central-1, dataClass: internal }
---
apiVersion: aipolicy.dev/v1
kind: Agent
metadata: { name: bot }
spec:
  tenant: payments
  model: { model: small }
  tools:
    - { name: read, connector: papers, access: read }
---
apiVersion: aipolicy.dev/v1
kind: Agent
metadata: { name: sleeper }
spec: { tenant: payments, model: { model: small }, enabled: false }
";
    [("aipolicy.yaml", resources), ("policies/own.cedar", policies), ("tests.yaml", tests)]
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .into()
}

const OWN: &str = r#"
@id("cards")
forbid (principal is Agent, action in [Action::"readConnector", Action::"writeConnector"], resource)
when { context.dataClassRank >= 20 && ["eu-central-1", "eu-north-1"].contains(context.region) }
unless { context.gate == "approval" || (context.gate == "verify" && principal.name like "b*") };

@id("odd")
@severity("advisory")
forbid (principal, action == Action::"invokeModel", resource)
when { if context.fallback then context.crossRegion else context.dataClass == "public" };
"#;

fn written(cases: &[&str]) -> String {
    let head = "apiVersion: aipolicy.dev/v1\nkind: PolicyTest\nmetadata: { name: own }\nspec:\n";
    let case = |case: &&str| format!("  - {{ {case} }}\n");
    head.to_owned() + &cases.iter().map(case).collect::<String>()
}

/// What becomes of cases: for each, whether it passed.
fn passed(compiled: &Compiled) -> Vec<bool> {
    let Compiled { compilation, .. } = compiled;
    let hearing = Hearing::new(&compilation.graph, &compilation.policies, today());
    let mut out = Diagnostics::default();
    let trials = trials(&compilation.graph, (&compilation.policies, &hearing), &mut out);
    assert!(out.is_empty(), "{out:?}");
    trials.iter().map(Trial::passed).collect()
}

const READ: &str = "principal: Agent/bot, action: readConnector, resource: Connector/papers";
const CALL: &str = "principal: Agent/bot, action: invokeModel, resource: Model/small";

/// Each change that is told to be noticed is written into the file, and makes a case fail; every other one does not.
#[test]
fn a_change_is_noticed_where_the_changed_policy_fails_a_case() {
    let cases = written(&[
        &format!("{READ}, expect: allow"),
        &format!("{READ}, context: {{ dataClass: confidential }}, expect: deny, by: [cards]"),
        &format!("{READ}, context: {{ dataClass: confidential, gate: approval }}, expect: allow"),
        &format!("{READ}, context: {{ dataClass: confidential, gate: verify }}, expect: allow"),
        &format!("{CALL}, context: {{ dataClass: public }}, expect: allow, by: [odd]"),
        &format!("{CALL}, context: {{ environment: lab }}, expect: deny, notBy: [odd]"),
    ]);
    let files = small(OWN, &cases);
    let compiled = compile(&files);
    let (graph, policies) = (&compiled.compilation.graph, &compiled.compilation.policies);
    let hearing = Hearing::new(graph, policies, today());
    let trials = trials(graph, (policies, &hearing), &mut Diagnostics::default());
    let chosen = ["cards", "odd"].map(|id| policies.find(id).unwrap());
    let mutants = mutants(mutations(policies, &chosen, &compiled.sources), (policies, &hearing), &trials);
    let (mut killed, mut survived) = (0, 0);
    for mutant in mutants {
        let Mutation { span, written, .. } = &mutant.mutation;
        let changed = [&OWN[..span.start as usize], written, &OWN[span.end as usize..]].concat();
        let compiled = compile(&small(&changed, &cases));
        let input = compiled
            .diagnostics
            .iter()
            .find(|found| found.code.starts_with("AIP-POL-00") && found.code != "AIP-POL-005");
        // A case that names a policy that is gone cannot be asked, which is noticed as well.
        let fails = input.is_some() || named_and_gone(&mutant.mutation) || passed(&compiled).contains(&false);
        let told = mutant.fate != Fate::Survived;
        assert_eq!(fails, told, "`{}` → `{written}`", &OWN[span.start as usize..span.end as usize]);
        (killed, survived) = (killed + usize::from(told), survived + usize::from(!told));
    }
    assert!(killed >= 20 && survived >= 3, "{killed} killed, {survived} survived");
}

fn named_and_gone(mutation: &Mutation) -> bool {
    mutation.change == Change::Removed
}

/// A policy as deep as any that is read is asked wherever a case is: by a check, by a test, for what tests miss, and for the
/// nearest change. The thread has a stack on which none of that could run.
#[test]
fn the_deepest_policies_are_asked_on_stacks_that_hold_them() {
    let ask = || {
        for condition in deepest() {
            let deep = format!(
                "@id(\"deep\")\nforbid (principal, action == Action::\"readConnector\", resource)\nwhen {{ {condition} }};\n"
            );
            let cases = written(&[
                &format!("{READ}, context: {{ region: us-east-1 }}, expect: allow, notBy: [deep]"),
                &format!("{READ}, context: {{ region: eu-central-1 }}, expect: deny, by: [deep]"),
            ]);
            let compiled = compile(&small(&deep, &cases));
            let errors = compiled.diagnostics.iter().filter(|found| found.code.starts_with("AIP-POL"));
            assert_eq!(errors.map(|found| &found.message).collect::<Vec<_>>(), [""; 0], "{condition}");
            let (graph, policies) = (&compiled.compilation.graph, &compiled.compilation.policies);
            let hearing = Hearing::new(graph, policies, today());
            let trials = trials(graph, (policies, &hearing), &mut Diagnostics::default());
            assert!(trials.len() == 2 && trials.iter().all(Trial::passed), "{condition}");
            let at = policies.find("deep").unwrap();
            let questions = trials.iter().flat_map(|trial| &trial.asked).map(|tried| &tried.heard.question);
            assert_eq!(cover(policies, &[at], questions)[0].matched, 1);
            for tried in trials.iter().flat_map(|trial| &trial.asked) {
                assert_ne!(hearing.nearest(&tried.supposed), [[]; 0], "{condition}");
            }
            // A chain has a thousand changes, each of which is read and validated.
            if condition.contains(&" && true".repeat(100)) {
                continue;
            }
            let changes = mutations(policies, &[at], &compiled.sources);
            let gone = mutants(changes.into_iter().take(1).collect(), (policies, &hearing), &trials);
            assert_eq!(gone.iter().map(|mutant| mutant.fate).collect::<Vec<_>>(), [Fate::Killed(1)]);
        }
    };
    std::thread::Builder::new().stack_size(1 << 20).spawn(ask).unwrap().join().unwrap();
}

/// Conditions at the bounds of what is read, which hold in eu-central-1 alone.
fn deepest() -> [String; 3] {
    let here = "context.region == \"eu-central-1\"";
    [
        // Fifteen are counted for each `if`, and a place is an operator.
        format!("{}{here}", format!("if {here} && false then true else ").repeat(58)),
        format!("{here}{}", " && true".repeat(990)),
        format!(
            "{}context.region{} == {}\"eu-central-1\"{}",
            "[".repeat(60),
            "]".repeat(60),
            "[".repeat(60),
            "]".repeat(60)
        ),
    ]
}

const REST: &str = "principal: Environment/prod, action: storeData, resource: Region/us-east-1";
const SLEEPER: &str = "principal: Agent/sleeper, action: invokeModel, resource: Model/small";
const CHANGE: &str = "principal: Environment/prod, action: change, resource: Artifact/iam/Role/a";

/// What follows from a value is changed with it, and what nobody asks for is asked as it would be.
#[test]
fn a_supposed_request_is_what_the_workspace_would_ask() {
    let hold = [
        (READ, "region: us-east-1", "allow"),
        (READ, "region: eu-west-3", "deny"),
        // The class decides which residency rules apply.
        (REST, "place: connector, dataClass: confidential", "deny, by: [AIP-RES-005]"),
        (REST, "place: connector, dataClass: internal", "allow, notBy: [AIP-RES-005]"),
        (REST, "place: connector, dataClass: confidential, residency: []", "allow"),
        (CALL, "region: us-east-1", "deny, by: [AIP-RES-015]"),
        (CALL, "region: us-east-1, dataClass: internal", "allow"),
        (CALL, "today: 2027-07-01", "deny, by: [AIP-LIF-001]"),
        (CALL, "today: 2027-06-30", "allow"),
        // Nobody asks for it, since the agent is disabled.
        (SLEEPER, "", "allow"),
        (SLEEPER, "", "deny, entities: { Tenant/payments: { models: [] } }"),
        (READ, "dataClass: confidential", "deny, by: [cards], notBy: [AIP-DAT-001]"),
        (READ, "", "deny, by: [AIP-DAT-001], entities: { Agent/bot: { clearance: [public] } }"),
        (CALL, "", "allow, notBy: [AIP-LIF-002], entities: { Model/small: { legacyFrom: [] } }"),
        (CHANGE, "operation: update, effect: neutral", "allow"),
    ];
    let fail = [
        // Where a policy is off, it says nothing.
        (READ, "environment: lab, dataClass: confidential", "deny, by: [cards]"),
        (READ, "", "deny"),
        (READ, "dataClass: confidential", "deny, by: [AIP-DAT-001]"),
        (CALL, "dataClass: public", "allow, notBy: [odd]"),
    ];
    let text = |(request, context, expect): &(&str, &str, &str)| {
        format!("{request}, context: {{ {context} }}, expect: {expect}")
    };
    let texts: Vec<_> = hold.iter().chain(&fail).map(text).collect();
    let compiled = compile(&small(OWN, &written(&texts.iter().map(String::as_str).collect::<Vec<_>>())));
    for ((at, text), passed) in texts.iter().enumerate().zip(passed(&compiled)) {
        assert_eq!(passed, at < hold.len(), "{text}");
    }
}
