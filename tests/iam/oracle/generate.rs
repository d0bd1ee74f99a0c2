//! Policies and requests that lie close together, made from what IAM knows: the same number gives the same case.

use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};
use serde_json::{Map, Value, json};

use super::case::Case;
use super::vocabulary::{ACCOUNTS, ACTIONS, Acted, KEYS, Key, Kind, resources};

/// Makes one case.
pub(super) struct Generator {
    random: TestRng,
}

/// What a policy is for, which decides about the elements of its statements.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Caller,
    ServiceControl,
    ResourceControl,
    Resource,
    Trust,
}

/// The request that policies are written around.
struct Asked {
    acted: &'static Acted,
    resource: String,
    principal: String,
    context: Map<String, Value>,
}

impl Generator {
    pub(super) fn new(number: u64) -> Self {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        Self { random: TestRng::from_seed(RngAlgorithm::ChaCha, &seed) }
    }

    fn within(&mut self, least: u64, most: u64) -> u64 {
        least + self.random.next_u64() % (most - least + 1)
    }

    /// True in so many of a hundred cases.
    fn chance(&mut self, percent: u64) -> bool {
        self.within(1, 100) <= percent
    }

    fn one<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        let last = u64::try_from(all.len() - 1).unwrap();
        &all[usize::try_from(self.within(0, last)).unwrap()]
    }

    fn times(&mut self, least: u64, most: u64) -> std::ops::Range<u64> {
        0..self.within(least, most)
    }

    pub(super) fn case(mut self) -> Case {
        let acted = self.one(ACTIONS);
        let principal = self.principal();
        let principal_account = ACCOUNTS[0];
        let crosses = self.chance(15);
        let owner = if crosses { ACCOUNTS[1] } else { principal_account };
        let resource = self.one(&resources(acted.resource, owner)).clone();
        let asked = Asked { acted, resource, context: self.context(&principal, owner), principal };
        let is_service = asked.principal.ends_with(".amazonaws.com");
        let needs_resource_policy = crosses || is_service;
        let purpose = if acted.name.starts_with("sts:") { Purpose::Trust } else { Purpose::Resource };
        let percent = if needs_resource_policy { 95 } else { 35 };
        let has_resource_policy = acted.decides_alone || (acted.has_policy && self.chance(percent));
        let is_session = asked.principal.contains(":sts:");
        let mut case = Case {
            principal: asked.principal.clone(),
            owner: owner.to_owned(),
            action: self.cased(acted.name),
            resource: asked.resource.clone(),
            context: asked.context.clone(),
            resource_policy: has_resource_policy.then(|| self.policy(&asked, purpose, 3)),
            ..Case::default()
        };
        if acted.has_control {
            case.resource_control = self.levels(&asked, Purpose::ResourceControl, 10);
        }
        if is_service {
            return case;
        }
        case.identity = self.times(1, 3).map(|_| self.policy(&asked, Purpose::Caller, 4)).collect();
        case.boundary = self.chance(20).then(|| self.policy(&asked, Purpose::Caller, 3));
        case.session = (is_session && self.chance(30)).then(|| self.policy(&asked, Purpose::Caller, 3));
        case.service_control = self.levels(&asked, Purpose::ServiceControl, 25);
        case
    }

    fn levels(&mut self, asked: &Asked, purpose: Purpose, percent: u64) -> Vec<Vec<Value>> {
        if !self.chance(percent) {
            return Vec::new();
        }
        self.times(1, 2).map(|_| self.times(1, 2).map(|_| self.policy(asked, purpose, 2)).collect()).collect()
    }

    fn principal(&mut self) -> String {
        let account = ACCOUNTS[0];
        match self.within(1, 10) {
            1..=3 => format!("arn:aws:iam::{account}:role/app"),
            4 => format!("arn:aws:iam::{account}:user/ann"),
            5 => "bedrock.amazonaws.com".to_owned(),
            6 => format!("arn:aws:sts::{account}:federated-user/fred"),
            _ => format!("arn:aws:sts::{account}:assumed-role/app/one"),
        }
    }

    fn context(&mut self, principal: &str, owner: &str) -> Map<String, Value> {
        let mut context = Map::new();
        for key in KEYS {
            if self.chance(60) {
                let value = match key.is_many {
                    false => json!(self.one(key.values)),
                    true => {
                        json!(self.times(1, 3).map(|_| self.one(key.values)).collect::<Vec<_>>())
                    }
                };
                context.insert(key.name.to_owned(), value);
            }
        }
        context.insert("aws:ResourceAccount".to_owned(), json!(owner));
        let is_service = principal.ends_with(".amazonaws.com");
        if !is_service {
            let arn = principal.replace(":sts:", ":iam:").replace(":assumed-role/app/one", ":role/app");
            context.insert("aws:PrincipalArn".to_owned(), json!(arn));
            context.insert("aws:PrincipalAccount".to_owned(), json!(ACCOUNTS[0]));
        }
        context
    }

    fn policy(&mut self, asked: &Asked, purpose: Purpose, most: u64) -> Value {
        let is_old = purpose != Purpose::ResourceControl && self.chance(10);
        let version = if is_old { "2008-10-17" } else { "2012-10-17" };
        let mut statements: Vec<_> = self.times(1, most).map(|_| self.statement(asked, purpose)).collect();
        if matches!(purpose, Purpose::ServiceControl | Purpose::ResourceControl) && self.chance(80) {
            statements.push(match purpose == Purpose::ResourceControl {
                true => {
                    json!({"Effect": "Deny", "Principal": "*", "Action": "s3:CreateBucket", "Resource": "*"})
                }
                false => json!({"Effect": "Allow", "Action": "*", "Resource": "*"}),
            });
        }
        let statement =
            if statements.len() == 1 && self.chance(30) { statements.remove(0) } else { json!(statements) };
        json!({"Version": version, "Statement": statement})
    }

    fn statement(&mut self, asked: &Asked, purpose: Purpose) -> Value {
        let is_deny = purpose == Purpose::ResourceControl || self.chance(18);
        let mut statement = Map::new();
        statement.insert("Effect".to_owned(), json!(if is_deny { "Deny" } else { "Allow" }));
        if matches!(purpose, Purpose::Resource | Purpose::Trust | Purpose::ResourceControl) {
            let is_not = is_deny && purpose == Purpose::Resource && self.chance(15);
            let mut principal =
                if purpose == Purpose::ResourceControl { json!("*") } else { self.named(asked) };
            if is_not && principal.to_string().contains('*') {
                principal = json!({"AWS": ACCOUNTS[0]});
            }
            statement.insert(if is_not { "NotPrincipal" } else { "Principal" }.to_owned(), principal);
        }
        let has_not = purpose != Purpose::Trust && purpose != Purpose::ResourceControl;
        let is_not = has_not && self.chance(12);
        let mut actions: Vec<_> = self.times(1, 3).map(|_| self.action(asked, !is_not)).collect();
        // AWS takes no `*` there.
        if purpose == Purpose::ResourceControl && actions.iter().any(|action| action == "*") {
            actions = vec!["s3:*".to_owned(), asked.acted.name.to_owned()];
        }
        statement.insert(if is_not { "NotAction" } else { "Action" }.to_owned(), self.list(actions));
        if purpose != Purpose::Trust {
            let is_not = self.chance(12);
            let resources = self.times(1, 3).map(|_| self.resource(asked, !is_not)).collect();
            statement
                .insert(if is_not { "NotResource" } else { "Resource" }.to_owned(), self.list(resources));
        }
        let percent = if is_deny { 85 } else { 45 };
        if self.chance(percent) {
            statement.insert("Condition".to_owned(), self.conditions(asked));
        }
        Value::Object(statement)
    }

    /// A list as IAM may be given it.
    fn list(&mut self, mut values: Vec<String>) -> Value {
        values.sort();
        values.dedup();
        if values.len() == 1 && self.chance(50) { json!(values[0]) } else { json!(values) }
    }

    fn named(&mut self, asked: &Asked) -> Value {
        let account = ACCOUNTS[0];
        let mut named = vec![
            json!({"AWS": asked.principal}),
            json!({"AWS": format!("arn:aws:iam::{account}:role/app")}),
            json!({"AWS": [format!("arn:aws:iam::{account}:role/app"), "arn:aws:iam::444455556666:user/bob"]}),
            json!({"AWS": format!("arn:aws:iam::{account}:root")}),
            json!({"AWS": account}),
            json!({"AWS": [account, asked.principal, format!("arn:aws:iam::{account}:role/app")]}),
            json!({"AWS": "444455556666"}),
            json!({"AWS": "arn:aws:iam::111122223333:user/bob"}),
            json!({"AWS": "*"}),
            json!("*"),
            json!({"Service": ["bedrock.amazonaws.com", "lambda.amazonaws.com"]}),
            json!({"Service": "lambda.amazonaws.com", "AWS": "arn:aws:iam::111122223333:role/app"}),
        ];
        if asked.principal.ends_with(".amazonaws.com") {
            named =
                vec![json!({"Service": asked.principal}), json!("*"), json!({"Service": "s3.amazonaws.com"})];
        }
        self.one(&named).clone()
    }

    /// The text with other cases, where case makes no difference.
    fn cased(&mut self, text: &str) -> String {
        match self.within(1, 10) {
            1 => text.to_ascii_lowercase(),
            2 => text.to_ascii_uppercase(),
            _ => text.to_owned(),
        }
    }

    fn action(&mut self, asked: &Asked, near: bool) -> String {
        let near = near == self.chance(80);
        let name = if near { asked.acted.name } else { self.one(ACTIONS).name };
        let (service, word) = name.split_once(':').unwrap();
        let text = match self.within(1, 8) {
            1 => format!("{service}:*"),
            2 => "*".to_owned(),
            3 => format!("{service}:{}*", &word[..self.within(1, 4) as usize]),
            4 => format!("{service}:*{}", &word[word.len() - 4..]),
            5 => format!("{service}:{}?{}", &word[..2], &word[3..]),
            _ => name.to_owned(),
        };
        self.cased(&text)
    }

    fn resource(&mut self, asked: &Asked, near: bool) -> String {
        let near = near == self.chance(80);
        let own = if near { asked.resource.clone() } else { self.other_resource() };
        if own == "*" || self.chance(15) {
            return "*".to_owned();
        }
        self.pattern_of(&own, asked, true)
    }

    fn other_resource(&mut self) -> String {
        let acted = self.one(ACTIONS);
        let account = *self.one(&ACCOUNTS);
        self.one(&resources(acted.resource, account)).clone()
    }

    /// A pattern that stands for the text, mostly.
    fn pattern_of(&mut self, text: &str, asked: &Asked, is_resource: bool) -> String {
        let letters: Vec<char> = text.chars().collect();
        let first = if is_resource { begin_of_name(text) } else { 0 };
        let last = letters.len().saturating_sub(1).max(first);
        let at = usize::try_from(self.within(first as u64, last as u64)).unwrap();
        let (before, after) =
            (letters[..at].iter().collect::<String>(), letters.get(at + 1..).unwrap_or(&[]));
        let after: String = after.iter().collect();
        match self.within(1, 10) {
            1 => format!("{before}*"),
            2 => format!("{before}*{after}"),
            3 => format!("{before}?{after}"),
            4 => format!("{before}*{}*", after.chars().last().map(String::from).unwrap_or_default()),
            5 => self.with_variable(text, asked, first),
            6 if is_resource => text.replacen(":eu-central-1:", ":*:", 1),
            7 if is_resource => {
                text.rsplit_once(':').map_or(String::new(), |(account, _)| format!("{account}:*"))
            }
            _ => text.to_owned(),
        }
    }

    /// The text with a variable in place of what the variable stands for, or of something else.
    fn with_variable(&mut self, text: &str, asked: &Asked, first: usize) -> String {
        let names = ["aws:PrincipalTag/team", "aws:username", "aws:RequestedRegion", "aws:PrincipalAccount"];
        let name = *self.one(&names);
        let name = self.cased(name);
        let value =
            asked.context.iter().find(|(key, _)| key.eq_ignore_ascii_case(&name)).map(|(_, value)| value);
        let variable = match self.within(1, 5) {
            1 => format!("${{{name}, 'red'}}"),
            2 => "${*}".to_owned(),
            _ => format!("${{{name}}}"),
        };
        let (fixed, rest) = text.split_at(first);
        match value.and_then(Value::as_str) {
            Some(value) if rest.contains(value) => format!("{fixed}{}", rest.replacen(value, &variable, 1)),
            _ => match rest.rfind('/') {
                Some(slash) => format!("{fixed}{}/{variable}", &rest[..slash]),
                None => format!("{fixed}{variable}"),
            },
        }
    }

    fn conditions(&mut self, asked: &Asked) -> Value {
        let mut conditions: Map<String, Value> = Map::new();
        for _ in self.times(1, 3) {
            let key = self.one(KEYS);
            let operator = self.operator(key);
            let written = self.cased(&operator);
            let values = self.wanted(asked, key, &operator);
            let name = self.cased(key.name);
            let there = conditions.keys().any(|there| there.eq_ignore_ascii_case(&written));
            let block = conditions.entry(written).or_insert_with(|| json!({})).as_object_mut().unwrap();
            if !there || !block.keys().any(|key| key.eq_ignore_ascii_case(&name)) {
                block.insert(name, values);
            }
        }
        Value::Object(conditions)
    }

    fn operator(&mut self, key: &Key) -> String {
        if self.chance(10) {
            return "Null".to_owned();
        }
        let base = *self.one(key.kind.operators());
        let quantifier = match key.is_many {
            true if self.chance(50) => "ForAllValues:",
            true => "ForAnyValue:",
            false => "",
        };
        let suffix = if self.chance(20) { "IfExists" } else { "" };
        format!("{quantifier}{base}{suffix}")
    }

    fn wanted(&mut self, asked: &Asked, key: &Key, operator: &str) -> Value {
        if operator == "Null" {
            return json!(if self.chance(50) { "true" } else { "false" });
        }
        let mut values = Vec::new();
        for _ in self.times(1, 3) {
            let own = match asked.context.get(key.name) {
                Some(Value::String(own)) if self.chance(60) => own.clone(),
                Some(Value::Array(all)) if self.chance(60) => self.one(all).as_str().unwrap().to_owned(),
                _ => (*self.one(key.values)).to_owned(),
            };
            values.push(match key.kind {
                Kind::Text | Kind::Name if operator.contains("Like") => {
                    self.pattern_of(&own, asked, key.kind == Kind::Name)
                }
                Kind::Text if self.chance(15) => self.with_variable(&own, asked, 0),
                Kind::Text | Kind::Name | Kind::Number | Kind::Date | Kind::Bool | Kind::Binary => own,
                Kind::Address => self.network(&own),
            });
        }
        self.list(values)
    }

    fn network(&mut self, address: &str) -> String {
        let all: &[u64] =
            if address.contains(':') { &[0, 16, 32, 47, 64, 128] } else { &[0, 8, 12, 23, 24, 31, 32] };
        match self.within(1, 4) {
            1 => address.to_owned(),
            _ => format!("{address}/{}", self.one(all)),
        }
    }
}

/// Where the name of a resource begins, after its type: AWS has no wildcard in the type ("Amazon Resource Names (ARNs)").
fn begin_of_name(arn: &str) -> usize {
    let resource = arn.match_indices(':').nth(4).map_or(0, |(at, _)| at + 1);
    let has_type = !arn.starts_with("arn:aws:s3:");
    let after_type = arn[resource..].find([':', '/']).filter(|_| has_type);
    resource + after_type.map_or(0, |at| at + 1)
}
