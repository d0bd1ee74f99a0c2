//! What functions on Lambda have in common: names in ARNs, logs that end, and queues whose messages they take.

use aipolicy_compiler::diagnostic::Diagnostics;
use aipolicy_compiler::model::value::Text;
use aipolicy_compiler::rule;
use aipolicy_compiler::source::Spanned;
use aipolicy_iam::Partition;

use crate::account::Account;
use crate::artifact::{Address, Artifact};
use crate::origin::Origin;
use crate::request::{Members, Request, tag_map};
use crate::tree::Tree;

/// The longest that SQS hides a message which somebody has taken, in seconds.
const LONGEST_HIDDEN: u64 = 43_200;

/// A name that means nothing in an ARN or a URL; reported where it does.
pub(crate) fn plain_name<'t>(name: &'t Spanned<Text>, out: &mut Diagnostics) -> Option<&'t str> {
    let text = name.value.as_str();
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'$')) {
        return Some(text);
    }
    let message = format!("`{text}` is not a name of letters, digits, `-`, `_` and `.`");
    out.report(rule::UNSUPPORTED.at(name.span, message, "").help("correct the name"));
    None
}

pub(crate) fn queue_url(account: &Account<'_>, region: &str, queue: &str) -> String {
    let domain = match account.partition {
        Partition::AwsCn => "amazonaws.com.cn",
        Partition::AwsEusc => "amazonaws.eu",
        Partition::Aws | Partition::AwsUsGov => "amazonaws.com",
    };
    format!("https://sqs.{region}.{domain}/{}/{queue}", account.id())
}

/// A function, by the target that makes it, and where it is.
#[derive(Clone)]
pub(crate) struct Named<'n> {
    pub(crate) target: &'static str,
    pub(crate) name: &'n str,
    pub(crate) region: (String, Origin),
    /// Why it is there.
    pub(crate) origin: Origin,
}

impl Named<'_> {
    /// The address of a document of the function's name.
    pub(crate) fn address(&self, kind: &str) -> Address {
        Address { target: self.target.into(), kind: kind.into(), name: self.name.into() }
    }

    fn request(&self, address: Address, members: Members, needs: Vec<Address>) -> Artifact {
        Request { address, region: self.region.clone(), members, needs }.artifact(&self.origin)
    }

    fn group(&self) -> String {
        format!("/aws/lambda/{}", self.name)
    }

    /// Where it writes its log.
    pub(crate) fn log(&self, account: &Account<'_>) -> Tree {
        let tree = [("LogFormat", Tree::text("Text")), ("LogGroup", Tree::text(self.group()))];
        Tree::map(tree).from(account.default("function.log"))
    }

    /// Its log group, and how long that keeps what is written.
    pub(crate) fn logs(&self, account: &Account<'_>) -> Vec<Artifact> {
        let default = || account.default("function.log");
        let name = || ("logGroupName", Tree::text(self.group()).from(default()));
        let own = self.address("LogGroup");
        let kept = vec![name(), ("retentionInDays", Tree::integer(30).from(default()))];
        vec![
            self.request(own.clone(), vec![name(), ("tags", tag_map(account))], Vec::new()),
            self.request(self.address("LogRetention"), kept, vec![own]),
        ]
    }

    /// How often it runs at once.
    pub(crate) fn concurrency(&self, account: &Account<'_>, most: Tree) -> Artifact {
        let name = Tree::text(self.name).from(account.default("origin.name"));
        let members = vec![("FunctionName", name), ("ReservedConcurrentExecutions", most)];
        self.request(self.address("FunctionConcurrency"), members, vec![self.address("Function")])
    }

    /// Lambda takes messages of a queue for it, and SQS moves what fails too often.
    pub(crate) fn takes(&self, account: &Account<'_>, taken: Taken) -> Vec<Artifact> {
        let default = |name: &str| account.default(name);
        let policy = Tree::map([("deadLetterTargetArn", taken.dead), ("maxReceiveCount", taken.attempts)]);
        let hidden = (taken.seconds * 6).min(LONGEST_HIDDEN).to_string();
        let hidden = Tree::text(hidden).from(default("function.visibility"));
        let redrive = Address { name: taken.queue.clone(), ..self.address("QueueRedrive") };
        let url = queue_url(account, &self.region.0, &taken.queue);
        let attributes = vec![
            ("QueueUrl", Tree::text(url).from(taken.place.clone())),
            ("Attributes", Tree::map([("RedrivePolicy", policy), ("VisibilityTimeout", hidden)])),
        ];
        let arn = account.arn("sqs", &self.region.0, &taken.queue);
        let partial = Tree::list([Tree::text("ReportBatchItemFailures")]);
        let mut members: Members = vec![
            ("EventSourceArn", Tree::text(arn).from(taken.place)),
            ("FunctionName", Tree::text(self.name).from(default("origin.name"))),
            ("Enabled", Tree::bool(true)),
            ("BatchSize", taken.batch),
            ("FunctionResponseTypes", partial.from(default("function.partial"))),
        ];
        let most = taken.most.map(|most| Tree::map([("MaximumConcurrency", most)]));
        members.extend(most.map(|most| ("ScalingConfig", most)));
        members.push(("Tags", tag_map(account)));
        let needs = vec![self.address("Function"), redrive.clone()];
        vec![
            self.request(redrive, attributes, Vec::new()),
            self.request(self.address("EventSourceMapping"), members, needs),
        ]
    }
}

/// A queue whose messages a function takes.
pub(crate) struct Taken {
    /// Its name, which means nothing in an ARN, and where it is written.
    pub(crate) queue: String,
    pub(crate) place: Origin,
    /// The ARN of the queue for what fails, and how often a message may fail before.
    pub(crate) dead: Tree,
    pub(crate) attempts: Tree,
    /// How many messages are taken at once.
    pub(crate) batch: Tree,
    /// How many functions take messages at once.
    pub(crate) most: Option<Tree>,
    /// How long the function runs.
    pub(crate) seconds: u64,
}
