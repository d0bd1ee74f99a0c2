//! What whoever is in the account of an environment may do, whatever else lets them: service control policies, compared.

use aipolicy_iam::{Change, Document, Effect, Matcher, Policies, Request, Statement, Version, compare};

use super::EffectClass;
use super::access::{Access, Documents};

/// A control policy, with what is told of it.
type Control = (String, Option<Document>);

/// What everybody in the account may do that they could not, and the other way round: a sentence for each statement that
/// came or went, with a request that it decides.
pub(super) fn between(before: &Documents<'_>, after: &Documents<'_>) -> Vec<Access> {
    let (before, after) = (before.controls(), after.controls());
    let mut access = told(&before, &after, (EffectClass::Widens, "may now"));
    access.extend(told(&after, &before, (EffectClass::Narrows, "may no longer")));
    access
}

/// What `mine` denies by statements that `other` does not have, and `other` allows.
fn told(mine: &[Control], other: &[Control], (class, verb): (EffectClass, &str)) -> Vec<Access> {
    let readable = |(name, document): &Control| Some((name.clone(), document.clone()?));
    let theirs: Vec<_> = other.iter().filter_map(readable).collect();
    let open = everybody(theirs.iter().map(|(name, document)| (name.clone(), document)));
    let mut access = Vec::new();
    for (name, document) in mine {
        let Some(document) = document else {
            let sentence = format!("what {name} denies is not compared, since it cannot be read");
            access.push(Access { class: EffectClass::Mixed, role: name.clone(), sentence, witness: None });
            continue;
        };
        let known =
            |statement: &Statement| theirs.iter().any(|(_, other)| other.statements.contains(statement));
        for statement in document.statements.iter().filter(|statement| !known(statement)) {
            let statements = vec![statement.clone()];
            let only = Document { version: document.version, id: None, statements };
            let closed = everybody([(name.clone(), &only)]);
            let sid = statement.sid.as_deref().unwrap_or("a statement");
            access.extend(shown(compare(&closed, &open).gained).map(|(what, witness)| {
                let sentence = format!("whoever is in the account of {name} {verb} {what} ({sid})");
                Access { class, role: name.clone(), sentence, witness }
            }));
        }
    }
    access
}

/// What a difference is, with a request where there is one.
fn shown(change: Change) -> impl Iterator<Item = (String, Option<Request>)> {
    let all = match change {
        Change::Nothing => Vec::new(),
        Change::Shown(all) => {
            all.into_iter().map(|one| (one.witness.to_string(), Some(one.witness))).collect()
        }
        Change::NotProven(reasons) => {
            vec![(format!("do something, or not: not proven, since {}", reasons.join(", and ")), None)]
        }
    };
    all.into_iter()
}

/// Whoever may do everything but for control policies, beside the one of AWS that allows everything.
fn everybody<'d>(controls: impl IntoIterator<Item = (String, &'d Document)>) -> Policies {
    let everything = everything();
    let controls: Vec<_> = controls.into_iter().collect();
    let mut all = vec![("FullAWSAccess", &everything)];
    all.extend(controls.iter().map(|(name, document)| (name.as_str(), *document)));
    Policies::default().identity("everything", &everything).service_control(all)
}

fn everything() -> Document {
    let all = || Matcher::In(["*".to_owned()].into());
    let statement = Statement {
        sid: None,
        effect: Effect::Allow,
        principal: None,
        actions: all(),
        resources: Some(all()),
        conditions: [].into(),
    };
    Document { version: Version::V2012, id: None, statements: vec![statement] }
}
