//! `compare` of two policies of many statements, in several shapes, beside reading the same two texts as JSON.
//!
//! Statements come in pairs, each for the work of a team: objects of S3, items of DynamoDB, messages, models, secrets. On
//! the one side, one statement of a pair has the first action on both resources and the other the second; on the other
//! side, one has both actions on the first resource and the other on the second. So nothing is equal at sight. One
//! thread, the best of several runs.

use std::error::Error;
use std::io::Write as _;

use aipolicy_iam::{Policies, Relation, compare, read};
use serde_json::{Value, json};

use crate::clock::best;

/// Two policies that differ in some way, and what has to come out.
struct Shape {
    name: &'static str,
    relation: Relation,
    /// The statements of a pair, before and after.
    pair: fn(usize) -> [Vec<Value>; 2],
}

const SHAPES: &[Shape] = &[
    Shape { name: "equal", relation: Relation::Equal, pair: equal },
    Shape { name: "disjoint", relation: Relation::Incomparable, pair: disjoint },
    Shape { name: "one statement wider", relation: Relation::Wider, pair: wider },
    Shape { name: "one wider, others alike", relation: Relation::Wider, pair: changed },
    Shape { name: "conditions, one dropped", relation: Relation::Wider, pair: conditioned },
    Shape { name: "variables, one dropped", relation: Relation::Wider, pair: tagged },
    Shape { name: "NotAction, NotResource", relation: Relation::Wider, pair: negated },
    Shape { name: "wildcards inside", relation: Relation::Wider, pair: wild },
];

/// The pair that differs; one of objects of S3.
const CHANGED: usize = 10;

/// Measures policies of so many statements and prints a table; of the shapes that begin with a word, where one is given.
pub(crate) fn run(words: &mut dyn Iterator<Item = String>) -> Result<(), Box<dyn Error>> {
    let (mut sizes, mut shapes) = (Vec::new(), Vec::new());
    for word in words {
        word.parse().map_or_else(|_| shapes.push(word.clone()), |size: usize| sizes.push(size));
    }
    let is_wanted =
        |shape: &&Shape| shapes.is_empty() || shapes.iter().any(|word| shape.name.starts_with(word.as_str()));
    let sizes = if sizes.is_empty() { vec![50, 100, 200] } else { sizes };
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:<24} {:>10} {:>10} {:>8} {:>6}  relation",
        "shape", "statements", "compare ms", "json ms", "ratio"
    )?;
    for (shape, statements) in
        SHAPES.iter().filter(is_wanted).flat_map(|shape| sizes.iter().map(move |size| (shape, *size)))
    {
        let texts = texts(shape, statements);
        let [before, after] = &texts;
        let (before, after) = (policies(before)?, policies(after)?);
        let mut relation = Relation::NotProven;
        let compared = 1e3 * best(|| relation = compare(&before, &after).relation());
        let parsed = 1e3 * best(|| texts.iter().for_each(|text| drop(serde_json::from_str::<Value>(text))));
        let (name, ratio) = (shape.name, compared / parsed);
        writeln!(out, "{name:<24} {statements:>10} {compared:>10.1} {parsed:>8.2} {ratio:>6.0}  {relation}")?;
        if relation != shape.relation {
            return Err(format!("`{name}` is {}, and this says {relation}", shape.relation).into());
        }
    }
    Ok(())
}

fn texts(shape: &Shape, statements: usize) -> [String; 2] {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for [one, other] in (0..statements / 2).map(shape.pair) {
        before.extend(one);
        after.extend(other);
    }
    [before, after].map(|all| json!({ "Version": "2012-10-17", "Statement": all }).to_string())
}

fn policies(text: &str) -> Result<Policies, Box<dyn Error>> {
    let document = read(text).map_err(|errors| format!("the generator makes no policy: {errors:?}"))?;
    Ok(Policies::default().identity("role", &document))
}

/// What teams work with: two actions, and two resources, in which `TEAM` is the name of the team.
const WORK: [([&str; 2], [&str; 2]); 5] = [
    (["s3:GetObject", "s3:PutObject"], ["arn:aws:s3:::acme/TEAM/in/*", "arn:aws:s3:::acme/TEAM/out/*"]),
    (
        ["dynamodb:GetItem", "dynamodb:Query"],
        [
            "arn:aws:dynamodb:eu-central-1:111122223333:table/TEAM-ledger",
            "arn:aws:dynamodb:eu-central-1:111122223333:table/TEAM-ledger/index/*",
        ],
    ),
    (
        ["sqs:SendMessage", "sqs:ReceiveMessage"],
        [
            "arn:aws:sqs:eu-central-1:111122223333:TEAM-work",
            "arn:aws:sqs:eu-central-1:111122223333:TEAM-dead",
        ],
    ),
    (
        ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
        [
            "arn:aws:bedrock:*::foundation-model/amazon.TEAM-v1:0",
            "arn:aws:bedrock:eu-central-1:111122223333:inference-profile/eu.amazon.TEAM-v1:0",
        ],
    ),
    (
        ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
        [
            "arn:aws:secretsmanager:eu-central-1:111122223333:secret:TEAM/db-??????",
            "arn:aws:secretsmanager:eu-central-1:111122223333:secret:TEAM/api-??????",
        ],
    ),
];

/// The work of a pair of statements, and the team.
fn work(pair: usize) -> ([&'static str; 2], [String; 2], String) {
    let team = format!("team-{}", pair / WORK.len());
    let (actions, resources) = WORK.iter().cycle().nth(pair).copied().unwrap_or_default();
    (actions, resources.map(|resource| resource.replace("TEAM", &team)), team)
}

fn allow(actions: &[&str], resources: &[&str]) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": resources })
}

fn with(mut statement: Value, condition: &Value) -> Value {
    if let Some(fields) = statement.as_object_mut() {
        fields.insert("Condition".to_owned(), condition.clone());
    }
    statement
}

/// A statement for each action, and a statement for each resource.
fn both_ways(actions: [&str; 2], resources: [&str; 2]) -> [Vec<Value>; 2] {
    let by_action = actions.iter().map(|action| allow(&[action], &resources)).collect();
    [by_action, resources.iter().map(|resource| allow(&actions, &[resource])).collect()]
}

fn equal(pair: usize) -> [Vec<Value>; 2] {
    let (actions, [first, second], _) = work(pair);
    both_ways(actions, [&first, &second])
}

fn disjoint(pair: usize) -> [Vec<Value>; 2] {
    let (actions, [first, second], _) = work(pair);
    let [before, _] = equal(pair);
    let [_, after] = both_ways(
        actions,
        [&first, &second].map(|one| one.replace("team", "squad")).each_ref().map(String::as_str),
    );
    [before, after]
}

fn wider(pair: usize) -> [Vec<Value>; 2] {
    let (actions, [first, second], _) = work(pair);
    let [before, after] = equal(pair);
    if pair != CHANGED {
        return [before, after];
    }
    let first = first.replace("/in/*", "/i*");
    [before, both_ways(actions, [&first, &second])[1].clone()]
}

/// As a pull request changes a policy: one statement is wider, and all others are the same.
fn changed(pair: usize) -> [Vec<Value>; 2] {
    let [_, before] = equal(pair);
    let [_, after] = wider(pair);
    [before, after]
}

fn conditioned(pair: usize) -> [Vec<Value>; 2] {
    let mut condition = json!({
        "StringEquals": { "aws:RequestedRegion": ["eu-central-1", "eu-west-1"], "aws:SourceVpce": format!("vpce-{:08x}", pair / 10) },
        "IpAddress": { "aws:SourceIp": [format!("10.{}.0.0/16", pair / 5), "192.168.0.0/24"] },
        "Bool": { "aws:SecureTransport": "true" },
        "DateLessThan": { "aws:CurrentTime": format!("2027-{:02}-01T00:00:00Z", pair % 12 + 1) },
        "ForAllValues:StringEquals": { "aws:TagKeys": ["team", "cost"] },
        "Null": { "aws:TagKeys": "false" },
    });
    let [before, after] = equal(pair);
    let before = before.into_iter().map(|one| with(one, &condition)).collect();
    if let (CHANGED, Some(operators)) = (pair, condition.as_object_mut()) {
        operators.remove("IpAddress");
    }
    [before, after.into_iter().map(|one| with(one, &condition)).collect()]
}

fn tagged(pair: usize) -> [Vec<Value>; 2] {
    let (actions, [first, second], team) = work(pair);
    let personal = |resource: &str| match resource.strip_suffix('*') {
        Some(start) => format!("{start}${{aws:PrincipalTag/user}}/*"),
        None => resource.to_owned(),
    };
    let condition = json!({ "StringEquals": { "aws:PrincipalTag/team": team, "aws:ResourceTag/owner": "${aws:PrincipalTag/owner}" } });
    let [before, mut after] = both_ways(actions, [&personal(&first), &personal(&second)]);
    if pair == CHANGED {
        [_, after] = both_ways(actions, [&first, &second]);
    }
    [before, after].map(|all| all.into_iter().map(|one| with(one, &condition)).collect())
}

/// Everything but what others work with, unless something denies it.
fn negated(pair: usize) -> [Vec<Value>; 2] {
    let (actions, [first, second], _) = work(pair);
    let allow = json!({ "Effect": "Allow", "Action": actions, "NotResource": [first, second] });
    let deny =
        |resources: &[&String]| json!({ "Effect": "Deny", "NotAction": actions, "Resource": resources });
    let after = if pair == CHANGED { deny(&[&first]) } else { deny(&[&first, &second]) };
    [vec![allow.clone(), deny(&[&first, &second])], vec![allow, after]]
}

/// Of some statements, resources whose names are known in their middle alone. Each such pattern doubles the kinds of names.
fn wild(pair: usize) -> [Vec<Value>; 2] {
    const SOME: usize = 25;
    if !pair.is_multiple_of(SOME) {
        return wider(pair);
    }
    let (actions, _, team) = work(pair);
    let resources = ["in", "out"].map(|end| format!("arn:aws:s3:::acme-*/{team}/{end}/*"));
    both_ways(actions, resources.each_ref().map(String::as_str))
}
