//! What a real solver proves and shows about changes of policies, and what a bad one cannot.

use std::path::Path;
use std::time::Duration;

use aipolicy_analysis::{Context, LIMIT, OfSet, Proof, Shown, Solver, compare, denied, find, policies};
use aipolicy_compiler::inspect::{Subject, Vocabulary, vocabulary};
use aipolicy_compiler::model::environment::EnvironmentSpec;
use cedar_policy::{PolicySet, Schema};

use super::{Compiled, PERMITS, workspace};
use crate::harness::compile::today;
use crate::harness::cvc5::{program, script};

/// Rules that changes are made to.
const RULES: &str = r#"
@id("class") forbid (principal is Agent, action == Action::"invokeModel", resource is Model)
when { context.dataClassRank >= 20 };
@id("place") forbid (principal is Agent, action == Action::"storeData", resource is Region)
when { context has residency && !context.residency.regions.contains(resource.name) };
@id("known") forbid (principal is Agent, action == Action::"invokeModel", resource is Model)
unless { resource.modelId like "openai.gpt-*" };
@id("gate") forbid (principal is Agent, action == Action::"callTool", resource is Tool)
when { context.access == "write" && !(context.gate == "approval" || context.gate == "verify") };
"#;

struct Side {
    compiled: Compiled,
    set: PolicySet,
}

fn side(rules: &str) -> Side {
    let compiled = workspace(&format!("{PERMITS}{rules}"));
    let policies = &compiled.compilation.policies;
    let all: Vec<_> = policies.each().collect();
    assert!(!all.is_empty(), "{:?}", compiled.diagnostics);
    let set = policies.set(&all);
    Side { compiled, set }
}

impl Side {
    fn vocabulary(&self) -> Vocabulary {
        let graph = &self.compiled.compilation.graph;
        let environments: Vec<_> = graph.each::<EnvironmentSpec>().map(|(id, _)| id).collect();
        let policies = &self.compiled.compilation.policies;
        vocabulary(&Subject { graph, policies, today: today(), environments: &environments }).unwrap()
    }

    fn schema(&self) -> &Schema {
        self.compiled.compilation.policies.schema()
    }
}

fn solver() -> Solver {
    Solver::new(&program(), LIMIT).unwrap()
}

/// What differs between the rules and what `change` makes of them: `+` newly permitted, `-` newly refused.
fn differences(solver: &mut Solver, rules: &str) -> Vec<(String, Shown)> {
    let (before, after) = (side(RULES), side(rules));
    let words = after.vocabulary();
    let context = Context { schema: after.schema(), vocabulary: &words };
    let mut told = Vec::new();
    let about = |one: &aipolicy_analysis::About| one.principal == "Agent";
    for OfSet { about, permitted, refused } in compare(solver, context, [&before.set, &after.set], about) {
        for (sign, proof) in [("+", permitted), ("-", refused)] {
            match proof {
                Proof::Proven => {}
                Proof::Shown(shown) => {
                    told.push((
                        format!("{sign} {} {} {}", about.principal, about.action, about.resource),
                        *shown,
                    ));
                }
                Proof::NotProven(why) => panic!("{about:?}: {why}"),
            }
        }
    }
    told
}

fn fact<'s>(shown: &'s Shown, path: &str) -> &'s str {
    let found = shown.facts.iter().find(|(known, _)| known == path);
    &found.unwrap_or_else(|| panic!("{path} is not in {shown:?}")).1
}

fn changed(from: &str, to: &str) -> String {
    assert_eq!(RULES.matches(from).count(), 1, "{from}");
    RULES.replace(from, to)
}

#[test]
fn what_changes_permit_is_shown_with_a_request() {
    let mut solver = solver();
    let told = differences(&mut solver, &changed(">= 20", ">= 30"));
    let [(what, shown)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(what, "+ Agent invokeModel Model");
    assert!(shown.within && shown.question == "Agent/some-agent invokeModel Model/some-model", "{shown:?}");
    assert_eq!(fact(shown, "context.dataClassRank"), "20", "one that the workspace has: {shown:?}");
    assert_eq!(shown.by, [vec!["class".to_owned()], vec!["models".to_owned()]]);

    let dropped: String =
        RULES.split("@id(\"place\")").map(|part| part.split_once("};").unwrap().1).collect();
    let dropped = format!("{}{dropped}", RULES.split_once("@id(\"place\")").unwrap().0);
    let told = differences(&mut solver, &dropped);
    assert!(told.iter().any(|(what, _)| what == "+ Agent storeData Region"), "{told:?}");

    let told = differences(&mut solver, &changed("openai.gpt-*", "openai.*"));
    let [(what, shown)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(what, "+ Agent invokeModel Model");
    let model = fact(shown, "resource.modelId").trim_matches('"');
    assert!(model.starts_with("openai.") && !model.starts_with("openai.gpt-"), "{model}");
    assert!(!shown.within, "the workspace has no such model: {shown:?}");
}

#[test]
fn what_changes_refuse_is_shown_with_a_request() {
    let told = differences(&mut solver(), &changed(r#"|| context.gate == "verify""#, ""));
    let [(what, shown)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(what, "- Agent callTool Tool");
    assert_eq!(fact(shown, "context.gate"), r#""verify""#);
    assert_eq!(fact(shown, "context.access"), r#""write""#);
}

/// The same in other words: nothing differs, for any request.
#[test]
fn a_refactoring_is_proven_equal() {
    let rules = changed(
        r#"when { context.access == "write" && !(context.gate == "approval" || context.gate == "verify") }"#,
        r#"when { context.access == "write" } unless { ["verify", "approval"].contains(context.gate) }"#,
    );
    let rules = rules.replace(
        "when { context has residency && !context.residency.regions.contains(resource.name) }",
        "when { context has residency } unless { context.residency.regions.contains(resource.name) }",
    );
    let rules =
        rules.replace("when { context.dataClassRank >= 20 }", "unless { 20 > context.dataClassRank }");
    assert!(!rules.contains(">= 20") && rules.matches("unless").count() == 4, "{rules}");
    let told = differences(&mut solver(), &rules);
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn policies_are_asked_alone() {
    let side = side(
        r#"@id("never") forbid (principal is Agent, action == Action::"invokeModel", resource is Model)
when { context.dataClassRank > 5 && context.dataClassRank < 5 };
@id("some") forbid (principal is Agent, action == Action::"invokeModel", resource is Model)
when { context.dataClassRank > 5 };
@id("sum") forbid (principal is Agent, action == Action::"invokeModel", resource is Model)
when { context.dataClassRank + 1 > 5 };"#,
    );
    let words = side.vocabulary();
    let context = Context { schema: side.schema(), vocabulary: &words };
    let mut solver = solver();
    let told = policies(&mut solver, context, &side.set);
    let of = |id: &str| told.iter().find(|one| one.id == id).unwrap();
    assert!(matches!(of("never").never_matches, Proof::Proven));
    assert!(matches!(of("never").never_errors, Proof::Proven));
    assert!(matches!(&of("some").never_matches, Proof::Shown(shown) if shown.within), "{told:?}");
    assert!(matches!(of("some").never_errors, Proof::Proven));
    let Proof::Shown(shown) = &of("sum").never_errors else { panic!("{told:?}") };
    assert_eq!(fact(shown, "context.dataClassRank"), i64::MAX.to_string());
    assert!(!shown.within && shown.fails[0], "{shown:?}");
    let denied = denied(&mut solver, context, &side.set);
    let of = |action: &str| &denied.iter().find(|(about, _)| about.action == action).unwrap().1;
    assert!(matches!(of("change"), Proof::Proven), "nothing permits a change");
    assert!(matches!(of("invokeModel"), Proof::Shown(_)), "{denied:?}");
}

/// A solver that says what is not so, or nothing, proves nothing and shows nothing.
#[test]
fn a_bad_solver_shows_nothing() {
    let place = tempfile::tempdir().unwrap();
    let fake = |name: &str, says: &str| {
        let text = format!(
            "#!/bin/sh\nfirst=1\nwhile read -r line; do case \"$line\" in *check-sat*) if [ $first = 1 ]; then echo sat; first=0; else {says}; fi;; *get-model*) printf '(\\n)\\n';; esac; done\n"
        );
        script(place.path().join(name), &text)
    };
    let equal =
        RULES.replace("when { context.dataClassRank >= 20 }", "unless { 20 > context.dataClassRank }");
    let (before, after) = (side(RULES), side(&equal));
    let words = after.vocabulary();
    let context = Context { schema: after.schema(), vocabulary: &words };
    for (name, says) in
        [("liar", "echo sat"), ("fool", "echo unknown"), ("gone", "exit 3"), ("rude", "echo what")]
    {
        let asked = fake(name, says);
        // The first question of a process is whether it is there; later processes lie at once.
        let text = std::fs::read_to_string(&asked).unwrap();
        let mut solver = Solver::new(&asked, Duration::from_secs(2)).unwrap();
        script(asked, &text.replace("first=1", "first=0"));
        let about = |one: &aipolicy_analysis::About| one.principal == "Agent" && one.action == "invokeModel";
        let told = compare(&mut solver, context, [&before.set, &after.set], about);
        let [OfSet { permitted, refused, .. }] = told.as_slice() else { panic!("{told:?}") };
        for proof in [permitted, refused] {
            assert!(matches!(proof, Proof::NotProven(_)), "{name}: {proof:?}");
        }
    }
    let silent = script(place.path().join("silent"), "#!/bin/sh\nwhile read -r line; do :; done\n");
    assert!(Solver::new(&silent, LIMIT).unwrap_err().contains("nothing comes"));
    let other = script(place.path().join("other"), "#!/bin/sh\necho usage: other; exit 1\n");
    assert!(Solver::new(&other, LIMIT).unwrap_err().contains("does not answer as cvc5 does"));
}

#[test]
fn a_solver_is_found_where_it_is_named() {
    let place = tempfile::tempdir().unwrap();
    let [named, other] = ["named", "cvc5"].map(|name| script(place.path().join(name), "#!/bin/sh\n"));
    let path = std::env::join_paths([Path::new("/nowhere"), place.path()]).unwrap();
    assert_eq!(find(Some(named.as_os_str()), Some(&path)).unwrap(), Some(named));
    assert_eq!(find(None, Some(&path)).unwrap(), Some(other));
    assert_eq!(find(None, None).unwrap(), None);
    assert!(find(Some("/nowhere/cvc5".as_ref()), Some(&path)).unwrap_err().contains("/nowhere/cvc5"));
}
