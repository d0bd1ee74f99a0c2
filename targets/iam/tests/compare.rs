//! Random policies: what the comparison says must hold of every request that is tried.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and prints figures for whoever asks with `--nocapture`"
)]

use std::collections::BTreeMap;

use aipolicy_iam::{Caller, Change, Document, Policies, Relation, Request, compare, read, to_json};

/// Every number that is ever needed, the same ones on each machine (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn some(&mut self, of: &[&str]) -> String {
        let count = 1 + self.below(2);
        let picked: Vec<String> = (0..count).map(|_| format!("{:?}", self.one(of))).collect();
        format!("[{}]", picked.join(","))
    }
}

const ACTIONS: [&str; 9] = [
    "*",
    "s3:*",
    "s3:Get*",
    "s3:GetObject",
    "s3:PutObject",
    "S3:getobject",
    "s3:*Object",
    "sqs:SendMessage",
    "s3:Get?bject",
];
const RESOURCES: [&str; 14] = [
    "*",
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::a/b/*",
    "arn:aws:s3:::a/b/c",
    "arn:aws:s3:::a*",
    "arn:aws:s3:::a/*/c",
    "arn:aws:s3:::?/b/c",
    "arn:aws:s3:::${aws:PrincipalTag/t}/b/c",
    "arn:aws:s3:::a/${aws:PrincipalTag/t}/*",
    "arn:aws:s3:::a/${aws:PrincipalTag/t, 'b'}/c",
    "arn:aws:sqs:*:1:q",
    "arn:aws:sqs:eu:1:q",
    "arn:aws:sqs:*:q",
    "arn:aws:s*q",
];
/// Operators that compare alike, keys that have what they compare, and values of policies.
type Family = (&'static [&'static str], &'static [&'static str], &'static [&'static str]);

const FAMILIES: [Family; 9] = [
    (
        &["StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"],
        &["aws:PrincipalTag/t", "aws:RequestedRegion"],
        &["a", "b", "a*", "A", "${aws:PrincipalTag/t}"],
    ),
    (
        &["StringLike", "StringNotLike"],
        &["aws:PrincipalTag/t", "aws:RequestedRegion"],
        &["a", "b", "a*", "A", "${aws:PrincipalTag/t}", "?"],
    ),
    (
        &["ForAnyValue:StringLike", "ForAllValues:StringEquals", "ForAllValues:StringNotLike"],
        &["aws:TagKeys"],
        &["a", "b", "a*", "A", "${aws:PrincipalTag/t}", "?"],
    ),
    (&["StringEquals", "StringNotLike", "ForAnyValue:StringEquals"], &["aws:TagKeys"], &["a", "b", "a*"]),
    (
        &["ArnLike", "ArnNotLike", "ArnEquals"],
        &["aws:PrincipalArn"],
        &["arn:aws:iam::1:role/*", "arn:aws:iam::1:role/x", "arn:*:iam::*:role/x", "*", "arn:aws:iam::1:*"],
    ),
    (&["IpAddress", "NotIpAddress"], &["aws:SourceIp"], &["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "::/0"]),
    (
        &["NumericLessThan", "NumericGreaterThanEquals", "NumericEquals", "NumericNotEquals"],
        &["s3:max-keys"],
        &["5", "10", "5.5", "-1"],
    ),
    (
        &["DateLessThan", "DateGreaterThanEquals", "DateNotEquals"],
        &["aws:CurrentTime"],
        &["2026-11-22T00:00:00Z", "2026-11-23", "2027"],
    ),
    (&["Bool"], &["aws:SecureTransport"], &["true", "false"]),
];

/// What requests have under the keys.
const HELD: [(&str, &[&str]); 7] = [
    ("aws:PrincipalTag/t", &["a", "b", "ab", "A", "x", "c", "*"]),
    ("aws:RequestedRegion", &["a", "b", "ab", "A", "x", "c", "*"]),
    (
        "aws:PrincipalArn",
        &["arn:aws:iam::1:role/x", "arn:aws:iam::1:role/y", "arn:aws:iam::2:role/x", "arn:aws:iam::1:user/u"],
    ),
    ("aws:SourceIp", &["10.0.0.1", "10.1.2.3", "10.1.2.4", "9.9.9.9", "2001:db8::1"]),
    ("s3:max-keys", &["4", "5", "5.5", "7", "10", "11", "-1", "-2"]),
    (
        "aws:CurrentTime",
        &["2026-11-21T23:59:59Z", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z", "2028-01-01"],
    ),
    ("aws:SecureTransport", &["true", "false", "TRUE"]),
];

/// Callers, of whom resource policies name some, some accounts, and everybody.
const CALLERS: [&str; 3] = [
    "arn:aws:iam::111122223333:role/x",
    "arn:aws:iam::111122223333:role/y",
    "arn:aws:iam::444455556666:user/u",
];
const PRINCIPALS: [&str; 6] = [
    r#""*""#,
    r#"{"AWS": "*"}"#,
    r#"{"AWS": "111122223333"}"#,
    r#"{"AWS": ["arn:aws:iam::111122223333:role/x", "444455556666"]}"#,
    r#"{"AWS": "arn:aws:iam::444455556666:user/u"}"#,
    r#"{"Service": "lambda.amazonaws.com"}"#,
];

fn condition(random: &mut Random) -> String {
    if random.chance(12) {
        let key = random.one(&["aws:PrincipalTag/t", "aws:TagKeys", "aws:SourceIp"]);
        return format!(r#""Null": {{"{key}": "{}"}}"#, random.one(&["true", "false"]));
    }
    let if_exists = if random.chance(20) { "IfExists" } else { "" };
    let (operators, keys, values) = FAMILIES[random.below(FAMILIES.len())];
    let (operator, key, values) = (random.one(operators), random.one(keys), random.some(values));
    format!(r#""{operator}{if_exists}": {{"{key}": {values}}}"#)
}

fn statement(random: &mut Random, about: About) -> String {
    let effect = if random.chance(30) { "Deny" } else { "Allow" };
    let action = if random.chance(12) { "NotAction" } else { "Action" };
    let resource = if random.chance(12) { "NotResource" } else { "Resource" };
    let (actions, resources) = (random.some(&ACTIONS), random.some(&RESOURCES));
    let principal = match about {
        About::Caller => String::new(),
        About::Resource => format!(r#""Principal": {}, "#, random.one(&PRINCIPALS)),
    };
    let conditions = if random.chance(45) { condition(random) } else { String::new() };
    format!(
        r#"{{"Effect": "{effect}", {principal}"{action}": {actions}, "{resource}": {resources}, "Condition": {{{conditions}}}}}"#
    )
}

fn document(random: &mut Random, about: About) -> Document {
    let count = 1 + random.below(3);
    let statements: Vec<String> = (0..count).map(|_| statement(random, about)).collect();
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(","));
    read(&text).unwrap_or_else(|errors| panic!("{errors:?}: {text}"))
}

/// Whether policies are of a caller or of a resource.
#[derive(Clone, Copy, PartialEq)]
enum About {
    Caller,
    Resource,
}

/// A set of policies: of an identity, and maybe a boundary; or of a resource.
struct Set {
    about: About,
    documents: Vec<Document>,
    policies: Policies,
}

impl Set {
    fn new(random: &mut Random, about: About, first: Document) -> Self {
        let mut policies = match about {
            About::Caller => Policies::default().identity("p", &first),
            About::Resource => Policies::default().resource("p", &first),
        };
        let mut documents = vec![first];
        if about == About::Caller && random.chance(15) {
            let boundary = document(random, about);
            policies = policies.boundary("b", &boundary);
            documents.push(boundary);
        }
        Self { about, documents, policies }
    }

    fn allows(&self, request: &Request) -> bool {
        match self.about {
            About::Caller => self.policies.decide(request).is_allowed(),
            About::Resource => self.policies.resource_allows(request),
        }
    }

    fn text(&self) -> String {
        self.documents.iter().map(to_json).collect::<Vec<_>>().join("\n")
    }
}

/// The second set is often close to the first, so that many pairs are equal or nested.
fn pair(random: &mut Random) -> (Set, Set) {
    let about = if random.chance(25) { About::Resource } else { About::Caller };
    let first = document(random, about);
    let mut second = if random.chance(70) { first.clone() } else { document(random, about) };
    match random.below(4) {
        0 => second.statements.extend(document(random, about).statements),
        1 => {
            second.statements.pop();
        }
        2 => second.statements.reverse(),
        _ => {}
    }
    (Set::new(random, about, first), Set::new(random, about, second))
}

fn request(random: &mut Random) -> Request {
    let actions = ["s3:GetObject", "s3:PutObject", "s3:GetBucket", "sqs:SendMessage", "ec2:RunInstances"];
    let resources = [
        "arn:aws:s3:::a/b/c",
        "arn:aws:s3:::a/b/d",
        "arn:aws:s3:::a/x/c",
        "arn:aws:s3:::a",
        "arn:aws:s3:::x/b/c",
        "arn:aws:s3:::ab/c",
        "arn:aws:sqs:eu:1:q",
        "arn:aws:sqs:us:1:q",
        "arn:aws:sqs:us:1:2:q",
        "*",
    ];
    let mut request = Request::new(random.one(&actions), random.one(&resources));
    for (key, values) in HELD {
        if random.chance(60) {
            request = request.with(key, random.one(values));
        }
    }
    if random.chance(60) {
        let count = random.below(3);
        request.context.set("aws:TagKeys", (0..count).map(|_| random.one(HELD[0].1).to_owned()));
    }
    request.by(match random.below(4) {
        3 => Caller::service("lambda.amazonaws.com"),
        number => Caller::aws(CALLERS[number]),
    })
}

/// A request that contradicts that nothing differs.
fn contradiction(mine: &Set, other: &Set, random: &mut Random) -> Option<Request> {
    (0..400).map(|_| request(random)).find(|one| mine.allows(one) && !other.allows(one))
}

#[test]
fn what_is_proven_holds_of_every_request_that_is_tried() {
    let pairs = std::env::var("AIPOLICY_CASES").map_or(250, |cases| cases.parse().unwrap());
    let mut random = Random(20_261_123);
    let mut counts = BTreeMap::<(bool, Relation), usize>::new();
    for number in 0..pairs {
        let (before, after) = pair(&mut random);
        let compared = compare(&before.policies, &after.policies);
        let with_variables = before.text().contains("${") || after.text().contains("${");
        *counts.entry((with_variables, compared.relation())).or_default() += 1;
        for (change, mine, other) in [(&compared.gained, &after, &before), (&compared.lost, &before, &after)]
        {
            if *change == Change::Nothing
                && let Some(request) = contradiction(mine, other, &mut random)
            {
                panic!(
                    "pair {number}: {request:?} is allowed by\n{}\nand not by\n{}",
                    mine.text(),
                    other.text()
                );
            }
        }
    }
    println!("{counts:?}");
    let share = |with_variables, relation| {
        let all: usize =
            counts.iter().filter(|(key, _)| key.0 == with_variables).map(|(_, count)| count).sum();
        counts.get(&(with_variables, relation)).copied().unwrap_or_default() * 100 / all
    };
    for relation in [Relation::Equal, Relation::Narrower, Relation::Wider, Relation::Incomparable] {
        assert!(share(false, relation) > 3 && share(true, relation) > 3, "{counts:?}");
    }
    assert!(share(false, Relation::NotProven) < 2 && share(true, Relation::NotProven) < 5, "{counts:?}");
}
